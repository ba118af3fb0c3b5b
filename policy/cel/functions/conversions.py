"""Conversions between types, `size`, `type` and `dyn`."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from policy.cel import emit
from policy.cel.arithmetic import as_duration, as_int, as_timestamp, as_uint, overflow
from policy.cel.functions.define import function, method, plain
from policy.cel.kinds import type_of
from policy.cel.text import bytes_text, double_text, duration_text, timestamp_text
from policy.cel.times import parse_duration, parse_timestamp
from policy.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    ListType,
    MapType,
    TypeParameter,
)
from policy.cel.values import (
    INT_MAX,
    INT_MIN,
    NS_PER_SECOND,
    UINT_MAX,
    CelError,
    Duration,
    Timestamp,
    Uint,
)

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,20}")
_DOUBLE: Final = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|Inf(?:inity)?|NaN)"
)
_BOOLS: Final = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}
_ANY: Final = TypeParameter("A")
_LIST: Final = ListType(_ANY)
_MAP: Final = MapType(_ANY, TypeParameter("B"))


def same(value: Any) -> Any:
    """Return the value itself."""
    return value


def int_of_double(value: float) -> int:
    """Cut off the fraction. Raises CelError where the rest does not fit."""
    # The two ends are no doubles of their own: what rounds to them is out of range.
    if not (INT_MIN < value < INT_MAX):
        raise overflow()
    return math.trunc(value)


def int_of_string(text: str) -> int:
    """Read a decimal integer."""
    if not _INTEGER.fullmatch(text):
        raise _unreadable("int")
    return as_int(int(text))


def int_of_uint(value: int) -> int:
    """Take an unsigned integer as a signed one."""
    return as_int(int(value))


def int_of_timestamp(value: Timestamp) -> int:
    """Count whole seconds since 1970."""
    return value.ns // NS_PER_SECOND


def uint_of_double(value: float) -> Uint:
    """Cut off the fraction. Raises CelError where the rest does not fit."""
    if not (-1.0 < value < UINT_MAX):
        raise overflow()
    return Uint(math.trunc(value))


def uint_of_string(text: str) -> Uint:
    """Read a decimal integer without sign."""
    if not _INTEGER.fullmatch(text) or text[0] in "+-":
        raise _unreadable("uint")
    return as_uint(int(text))


def double_of_string(text: str) -> float:
    """Read a decimal number, an infinity or NaN."""
    if len(text) > 400 or not _DOUBLE.fullmatch(text):
        raise _unreadable("double")
    return float(text)


def bool_of_string(text: str) -> bool:
    """Read one of the twelve spellings of true and false."""
    value = _BOOLS.get(text)
    if value is None:
        raise _unreadable("bool")
    return value


def _unreadable(kind: str) -> CelError:
    return CelError("bad-conversion", f"a string is no {kind}")


def bytes_of_string(text: str) -> bytes:
    """Return UTF-8; bytes of a request that were none come out as they went in."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise CelError("invalid-utf8", "a string holds half a surrogate pair") from None


def string_of_bool(value: bool) -> str:  # noqa: FBT001 - the value converted
    """Write `true` or `false`."""
    return "true" if value else "false"


def string_of_int(value: int) -> str:
    """Write decimal digits."""
    return str(int(value))


def timestamp_of_int(seconds: int) -> Timestamp:
    """Count seconds since 1970."""
    return as_timestamp(seconds * NS_PER_SECOND)


def duration_of_int(seconds: int) -> Duration:
    """Count seconds."""
    return as_duration(seconds * NS_PER_SECOND)


CONVERSION_FUNCTIONS: Final = (
    function(
        "int",
        "A signed 64-bit integer, from a number, decimal text or a timestamp (whole seconds).",
        plain((INT,), INT, same, raises=False, inline=lambda arguments: arguments[0]),
        plain((UINT,), INT, int_of_uint),
        plain((DOUBLE,), INT, int_of_double),
        plain((STRING,), INT, int_of_string),
        plain((TIMESTAMP,), INT, int_of_timestamp, raises=False),
    ),
    function(
        "uint",
        "An unsigned 64-bit integer, from a number or decimal text.",
        plain((UINT,), UINT, same, raises=False, inline=lambda arguments: arguments[0]),
        plain((INT,), UINT, as_uint),
        plain((DOUBLE,), UINT, uint_of_double),
        plain((STRING,), UINT, uint_of_string),
    ),
    function(
        "double",
        "A 64-bit floating-point number, from a number or text.",
        plain((DOUBLE,), DOUBLE, same, raises=False, inline=lambda arguments: arguments[0]),
        plain((INT,), DOUBLE, float, raises=False),
        plain((UINT,), DOUBLE, float, raises=False),
        plain((STRING,), DOUBLE, double_of_string),
    ),
    function(
        "bool",
        "A bool, from the texts 1, t, T, true, TRUE, True and their opposites.",
        plain((BOOL,), BOOL, same, raises=False, inline=lambda arguments: arguments[0]),
        plain((STRING,), BOOL, bool_of_string),
    ),
    function(
        "string",
        "A value as text; bytes must be UTF-8.",
        plain((STRING,), STRING, same, raises=False, inline=lambda arguments: arguments[0]),
        plain((BOOL,), STRING, string_of_bool, raises=False),
        plain((INT,), STRING, str, raises=False),
        plain((UINT,), STRING, string_of_int, raises=False),
        plain((DOUBLE,), STRING, double_text, raises=False),
        plain((BYTES,), STRING, bytes_text, cost=4),
        plain((TIMESTAMP,), STRING, timestamp_text, raises=False),
        plain((DURATION,), STRING, duration_text, raises=False),
    ),
    function(
        "bytes",
        "The UTF-8 bytes of a text.",
        plain((BYTES,), BYTES, same, raises=False, inline=lambda arguments: arguments[0]),
        plain((STRING,), BYTES, bytes_of_string, cost=4),
    ),
    function(
        "timestamp",
        "A point in time, from RFC 3339 text or seconds since 1970.",
        plain((TIMESTAMP,), TIMESTAMP, same, raises=False, inline=lambda arguments: arguments[0]),
        plain((STRING,), TIMESTAMP, parse_timestamp),
        plain((INT,), TIMESTAMP, timestamp_of_int),
    ),
    function(
        "duration",
        "A length of time, from text such as `90s`, `1h30m` or `-500ms`, or from seconds.",
        plain((DURATION,), DURATION, same, raises=False, inline=lambda arguments: arguments[0]),
        plain((STRING,), DURATION, parse_duration),
        plain((INT,), DURATION, duration_of_int),
    ),
    function(
        "type",
        "The type of a value, to compare with a type's name.",
        plain((DYN,), TYPE, type_of),
    ),
    function(
        "dyn",
        "The same value, checked at run time only.",
        plain((_ANY,), DYN, same, raises=False, inline=lambda arguments: arguments[0]),
    ),
    function(
        "size",
        "Characters of a string, bytes, items of a list or entries of a map.",
        *(
            declare((kind,), INT, len, raises=False, inline=lambda a: emit.call("len", a[0]))
            for kind in (STRING, BYTES, _LIST, _MAP)
            for declare in (plain, method)
        ),
    ),
)
