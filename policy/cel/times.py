"""Timestamps and durations as text, and the parts of a moment in a time zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from policy.cel.arithmetic import as_duration, as_timestamp, out_of_range
from policy.cel.text import EPOCH
from policy.cel.values import NS_PER_SECOND, CelError, Duration, Timestamp
from policy.duration import UNITS_NS, DurationError, parse_duration_ns

_RFC3339: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9})[0-9]*)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_OFFSET: Final = re.compile(r"([+-]?)([0-9]{2}):([0-9]{2})")
_ZONE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+/-]{0,63}")
_LONGEST: Final = 200
_MICROSECOND_NS: Final = 1_000


def parse_timestamp(text: str) -> Timestamp:
    """Read RFC 3339 text, in any offset. Raises CelError."""
    match = _RFC3339.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise CelError("bad-conversion", "a string is no RFC 3339 timestamp")
    *date, fraction, zone = match.groups()
    try:
        moment = datetime(*map(int, date), tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        raise out_of_range() from None
    since = moment - EPOCH - _offset(zone)
    seconds = since.days * 86_400 + since.seconds
    return as_timestamp(seconds * NS_PER_SECOND + int((fraction or "0").ljust(9, "0")))


def _offset(zone: str) -> timedelta:
    if zone in "Zz":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[4:])
    if hours > 23 or minutes > 59:
        raise out_of_range()
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if zone[0] == "-" else offset


def parse_duration(text: str) -> Duration:
    """Read `90s`, `1h30m`, `-500ms` and the like. Raises CelError."""
    if len(text) > _LONGEST:
        raise CelError("bad-conversion", "a string is no duration")
    sign = -1 if text[:1] == "-" else 1
    try:
        ns = parse_duration_ns(text[1:] if text[:1] in ("-", "+") else text)
    except DurationError as error:
        code = "out-of-range" if "too long" in str(error) else "bad-conversion"
        raise CelError(code, "a string is no duration, or one out of range") from None
    return as_duration(sign * ns)


def parse_zone(name: str) -> tzinfo:
    """Find an IANA time zone, or read a fixed offset such as `-02:30`. Raises CelError."""
    if len(name) > _LONGEST:
        raise _unknown_zone()
    return _zone(name)


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    offset = _OFFSET.fullmatch(name)
    if offset is not None:
        minutes = int(offset[2]) * 60 + int(offset[3])
        if minutes >= 1_440 or int(offset[3]) > 59:
            raise _unknown_zone()
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    if not _ZONE_NAME.fullmatch(name):
        raise _unknown_zone()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _unknown_zone() from None


def _unknown_zone() -> CelError:
    return CelError("unknown-time-zone", "a string is no time zone")


def moment_in(value: Timestamp, zone: tzinfo) -> datetime:
    """Return a timestamp as a date and time of day in a zone, cut to microseconds."""
    try:
        moment = EPOCH + timedelta(microseconds=value.ns // _MICROSECOND_NS)
        return moment.astimezone(zone) if zone is not UTC else moment
    except OverflowError:
        raise out_of_range() from None


def whole(unit: str) -> Callable[[Duration], int]:
    """Return the function that counts whole units of a duration, cut toward zero."""
    unit_ns = UNITS_NS[unit]

    def count(value: Duration) -> int:
        units = abs(value.ns) // unit_ns
        return units if value.ns >= 0 else -units

    return count


def millisecond_part(value: Duration) -> int:
    """Return the milliseconds of a duration beyond its whole seconds."""
    part = abs(value.ns) % NS_PER_SECOND // UNITS_NS["ms"]
    return part if value.ns >= 0 else -part
