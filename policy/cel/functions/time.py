"""Parts of timestamps and durations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from policy.cel.declarations import Function, InvalidConstantError, Prepared
from policy.cel.functions.define import function, method
from policy.cel.limits import Limits
from policy.cel.times import millisecond_part, moment_in, parse_zone, whole
from policy.cel.types import DURATION, INT, STRING, TIMESTAMP
from policy.cel.values import CelError, Duration, Timestamp

Part = Callable[[datetime], int]

_PARTS: Final[tuple[tuple[str, str, Part, Callable[[Duration], int] | None], ...]] = (
    ("getFullYear", "The year.", lambda moment: moment.year, None),
    ("getMonth", "The month, 0 to 11.", lambda moment: moment.month - 1, None),
    ("getDate", "The day of the month, 1 to 31.", lambda moment: moment.day, None),
    ("getDayOfMonth", "The day of the month, 0 to 30.", lambda moment: moment.day - 1, None),
    (
        "getDayOfWeek",
        "The day of the week, 0 to 6; 0 is Sunday.",
        lambda moment: moment.isoweekday() % 7,
        None,
    ),
    (
        "getDayOfYear",
        "The day of the year, 0 to 365.",
        lambda moment: moment.timetuple().tm_yday - 1,
        None,
    ),
    (
        "getHours",
        "The hour, 0 to 23; of a duration, its whole hours.",
        lambda moment: moment.hour,
        whole("h"),
    ),
    (
        "getMinutes",
        "The minute, 0 to 59; of a duration, its whole minutes.",
        lambda moment: moment.minute,
        whole("m"),
    ),
    (
        "getSeconds",
        "The second, 0 to 59; of a duration, its whole seconds.",
        lambda moment: moment.second,
        whole("s"),
    ),
    (
        "getMilliseconds",
        "The millisecond, 0 to 999, within the second.",
        lambda moment: moment.microsecond // 1_000,
        millisecond_part,
    ),
)


def _declare(
    name: str, doc: str, part: Part, of_duration: Callable[[Duration], int] | None
) -> Function:
    def in_utc(value: Timestamp) -> int:
        return part(moment_in(value, UTC))

    def in_zone(value: Timestamp, zone: str) -> int:
        return part(moment_in(value, parse_zone(zone)))

    def prepare(zone_name: Any, _limits: Limits) -> Prepared:
        try:
            zone = parse_zone(zone_name)
        except CelError as error:
            raise InvalidConstantError(
                "unknown-time-zone",
                f"{zone_name!r} is no time zone",
                hint="write an IANA name such as 'Europe/Berlin', or an offset such as '+02:00'",
            ) from error
        return Prepared(call=lambda value: part(moment_in(value, zone)), raises=True)

    overloads = [
        method((TIMESTAMP,), INT, in_utc, raises=False),
        method((TIMESTAMP, STRING), INT, in_zone, prepare=prepare),
    ]
    if of_duration is not None:
        overloads.append(method((DURATION,), INT, of_duration, raises=False))
    return function(name, doc, *overloads)


TIME_FUNCTIONS: Final = tuple(_declare(*row) for row in _PARTS)
