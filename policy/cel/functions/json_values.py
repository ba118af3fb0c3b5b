"""JSON: reading text into values and writing values as text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final, NoReturn

from policy.cel.functions.define import function, method, plain
from policy.cel.functions.encodings import encode_bytes
from policy.cel.text import duration_text, scalar_text, timestamp_text
from policy.cel.types import BOOL, DYN, STRING, ListType, MapType
from policy.cel.values import (
    INT_MAX,
    INT_MIN,
    CelError,
    Duration,
    Timestamp,
    TypeValue,
    Uint,
    no_overload,
)
from policy.cel.work import Work

_LONG_NUMBER: Final = re.compile(r"[0-9]{19}")
_MAX_DEPTH: Final = 64


def decode(work: Work, text: str) -> Any:
    """Read one JSON value; whole numbers are ints, all others doubles. Raises CelError."""
    # Every two characters may make a value, and each costs some units to make.
    work.spend(1 + len(text))
    try:
        parse_int = _whole_number if _LONG_NUMBER.search(text) else None
        return json.loads(text, parse_int=parse_int, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise CelError("bad-json", "a string is no JSON") from None


def _whole_number(digits: str) -> int | float:
    # The longest are no ints; int() itself refuses them from 4,300 digits on.
    if len(digits) > 20:
        return float(digits)
    value = int(digits)
    return value if INT_MIN <= value <= INT_MAX else float(value)


def _no_constant(_name: str) -> NoReturn:
    # Python's reader knows NaN and Infinity, which JSON has not (RFC 8259, section 6).
    raise ValueError


def encode(work: Work, value: Any) -> str:
    """Write a value as compact JSON. Raises CelError for values that JSON has not."""
    plain_value = _plain(work, value, _MAX_DEPTH)
    text = json.dumps(plain_value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    work.grow(len(text))
    return text


def _plain(work: Work, value: Any, depth: int) -> Any:
    if depth == 0:
        raise CelError("value-too-deep", "a value is nested too deep for JSON")
    kind = type(value)
    if kind is str:
        work.spend(2 + (len(value) >> 5))
        return value
    work.spend(6)
    if kind is bool or kind is int or value is None:
        return value
    if kind is Uint:
        return int(value)
    if kind is float:
        if not math.isfinite(value):
            raise CelError("bad-json", "JSON has no infinity and no NaN")
        return value
    if isinstance(value, list | tuple):
        return [_plain(work, item, depth - 1) for item in value]
    if isinstance(value, Mapping):
        return {scalar_text(k): _plain(work, item, depth - 1) for k, item in value.items()}
    return _plain_object(work, value, depth)


def _plain_object(work: Work, value: Any, depth: int) -> Any:
    if isinstance(value, bytes):
        work.spend(len(value) >> 4)
        return encode_bytes(value)
    if isinstance(value, Timestamp):
        return timestamp_text(value)
    if isinstance(value, Duration):
        return duration_text(value)
    if is_dataclass(value) and not isinstance(value, TypeValue):
        return {
            field.name: _plain(work, getattr(value, field.name), depth - 1)
            for field in fields(value)
        }
    raise no_overload("encodeJson()")


def is_json(work: Work, text: str) -> bool:
    """Tell whether a text is one JSON value."""
    work.spend(1 + len(text))
    try:
        json.loads(text, parse_int=float, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return False
    return True


_MAP: Final = MapType(DYN, DYN)
_LIST: Final = ListType(DYN)

JSON_FUNCTIONS: Final = (
    function(
        "json.decode",
        "The value that JSON text stands for.",
        plain((STRING,), DYN, decode, counts_work=True),
    ),
    function(
        "decodeJson",
        "The value that JSON text stands for.",
        method((STRING,), DYN, decode, counts_work=True),
    ),
    function(
        "json.encode",
        "A value as compact JSON.",
        plain((DYN,), STRING, encode, counts_work=True),
    ),
    function(
        "encodeJson",
        "A list or map as compact JSON.",
        method((_LIST,), STRING, encode, counts_work=True),
        method((_MAP,), STRING, encode, counts_work=True),
    ),
    function(
        "isJson",
        "Whether a text is JSON.",
        method((STRING,), BOOL, is_json, counts_work=True),
    ),
)
