"""Durations as Go writes them: `90s`, `1h30m`, `500ms`. Always whole nanoseconds inside."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

UNITS_NS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "\u03bcs": 1_000,  # the Greek letter, which looks the same as the micro sign above
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_LONGEST_NS: Final = 2**63 - 1
_PART = re.compile(r"([0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(ns|us|µs|\u03bcs|ms|s|m|h)")
_UNITS_GO_LACKS: Final = {"d": ("days", 24), "w": ("weeks", 168)}


class DurationError(ValueError):
    """A text that is no duration. `hint` says what to write instead, if we can tell."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def parse_duration_ns(text: str) -> int:
    """Read a duration that is not negative. Fractions of a nanosecond are cut off."""
    if text == "0":
        return 0
    total, position = Fraction(0), 0
    while part := _PART.match(text, position):
        total += Fraction(part[1].rstrip(".") or "0") * UNITS_NS[part[2]]
        position = part.end()
    if position == 0 or position != len(text):
        raise DurationError(f"{text!r} is not a duration", _hint(text))
    if total > _LONGEST_NS:
        raise DurationError(f"{text!r} is too long for a duration", "the limit is about 292 years")
    return int(total)


def render_duration(nanoseconds: int) -> str:
    """Write a duration in its shortest usual form: `90s` as `1m30s`, none as `0s`."""
    if nanoseconds == 0:
        return "0s"
    hours, rest = divmod(nanoseconds, UNITS_NS["h"])
    minutes, rest = divmod(rest, UNITS_NS["m"])
    seconds, rest = divmod(rest, UNITS_NS["s"])
    milliseconds, rest = divmod(rest, UNITS_NS["ms"])
    parts = ((hours, "h"), (minutes, "m"), (seconds, "s"), (milliseconds, "ms"), (rest, "ns"))
    return "".join(f"{count}{unit}" for count, unit in parts if count)


def _hint(text: str) -> str:
    if re.fullmatch(r"[0-9]{1,12}", text):
        return f"a unit is missing: write {text}s for seconds, {text}m for minutes"
    if text.startswith("-"):
        return "a duration can't be negative"
    long_unit = re.fullmatch(r"([0-9]{1,9})([dw])", text)
    if long_unit:
        name, hours = _UNITS_GO_LACKS[long_unit[2]]
        return f"there is no unit for {name}: write {int(long_unit[1]) * hours}h"
    return "write a number and a unit (ns, us, ms, s, m, h), for example 90s, 500ms or 1h30m"
