"""Times of messages: `xs:dateTime` in UTC (SAML core, section 1.3.3).

Nanoseconds since the epoch inside. A time with an offset, or without a zone, is not what the
standard writes, and two readers could take it for two times: it is refused. So are leap seconds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from actions.saml.refusal import MessageRefused

NS_PER_S: Final = 1_000_000_000
_INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,30}))?(?:Z|\+00:00)"
)
_DURATION = re.compile(
    r"P(?=[0-9T])(?:([0-9]{1,4})Y)?(?:([0-9]{1,4})M)?(?:([0-9]{1,6})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,8})H)?(?:([0-9]{1,8})M)?(?:([0-9]{1,10})(?:\.[0-9]{1,9})?S)?)?"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def parse_instant_ns(text: str) -> int:
    """Read a time; raises MessageRefused. Fractions of a nanosecond are cut off."""
    match = _INSTANT.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        year, month, day, hour, minute, second = map(int, match.groups()[:6])
        whole = datetime(year, month, day, hour, minute, second, tzinfo=UTC) - _EPOCH
    except ValueError:
        raise MessageRefused(reason="time-malformed", detail=f"{text[:40]!r}") from None
    fraction_ns = int((match[7] or "0")[:9].ljust(9, "0"))
    return (whole.days * 86_400 + whole.seconds) * NS_PER_S + fraction_ns


def render_instant(instant_ns: int) -> str:
    """Write a time, to the second."""
    instant = _EPOCH + timedelta(seconds=instant_ns // NS_PER_S)
    return instant.isoformat().removesuffix("+00:00") + "Z"


def parse_duration_s(text: str) -> int:
    """Read an `xs:duration` in seconds, a year as 365 days; raises MessageRefused."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise MessageRefused(reason="time-malformed", detail=f"{text[:40]!r}")
    years, months, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return (years * 365 + months * 30 + days) * 86_400 + hours * 3600 + minutes * 60 + seconds
