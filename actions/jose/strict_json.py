"""JSON from strangers: bounded before it is read, and never ambiguous (D1-2).

Refused are duplicate members, of which readers take different ones; NaN and Infinity, which JSON
has not; numbers beyond a double; half surrogate pairs, which are no text.
"""

from __future__ import annotations

import math
from typing import Any, Final

from pydantic_core import from_json

MAX_DEPTH: Final = 32
MAX_VALUES: Final = 2_000
INT64: Final = 2**63


class JsonError(ValueError):
    """Text that is not one acceptable JSON object, or list."""


def parse_object(data: bytes, *, max_values: int = MAX_VALUES) -> dict[str, Any]:
    """Read one JSON object from UTF-8; raises JsonError. Numbers beyond 64 bits are floats."""
    value = _parse(data, max_values)
    if not isinstance(value, dict):
        raise JsonError("not an object")
    return value


def parse_list(data: bytes, *, max_values: int = MAX_VALUES) -> list[Any]:
    """Read one JSON list in the same way; raises JsonError."""
    value = _parse(data, max_values)
    if not isinstance(value, list):
        raise JsonError("not a list")
    return value


def _parse(data: bytes, max_values: int) -> Any:
    if len(data) > max_values:
        values = data.count(b"[") + data.count(b"{") + data.count(b",")
        if values > max_values:
            raise JsonError("too many values")
    try:
        value = from_json(data, allow_inf_nan=False, cache_strings="keys")
    except ValueError:
        # Never with the text itself: it may be a secret.
        raise JsonError("no JSON") from None
    if isinstance(value, dict):
        strings = _check_object(value, 1)
    elif isinstance(value, list):
        strings = _check_list(value, 1)
    else:
        return value
    # The reader keeps the last of several members of one name. Then there are fewer names and
    # texts than were written: each is written with two quotation marks, and others are escaped.
    if 2 * strings != data.count(b'"') - _escaped(data):
        raise JsonError("a member twice")
    return value


def _escaped(data: bytes) -> int:
    """Count the escaped quotation marks of a JSON text."""
    return data.replace(b"\\\\", b"").count(b'\\"') if b"\\" in data else 0


def _check_object(members: dict[str, Any], depth: int) -> int:
    """Check the values and return how many names and texts there are; raises JsonError.

    Whole numbers beyond 64 bits become floats. What lies deeper than allowed is never gone into.
    """
    strings = len(members)
    for name, value in members.items():
        if isinstance(value, str):
            strings += 1
        elif isinstance(value, dict | list | float):
            strings += _check_other(value, depth)
        elif isinstance(value, int) and not -INT64 <= value < INT64:
            members[name] = _as_float(value)
    return strings


def _check_list(values: list[Any], depth: int) -> int:
    """Check the values of a list as those of an object."""
    strings = 0
    for at, value in enumerate(values):
        if isinstance(value, str):
            strings += 1
        elif isinstance(value, dict | list | float):
            strings += _check_other(value, depth)
        elif isinstance(value, int) and not -INT64 <= value < INT64:
            values[at] = _as_float(value)
    return strings


def _check_other(value: dict[str, Any] | list[Any] | float, depth: int) -> int:
    """Check a value inside of an object or list that lies as deep."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise JsonError("a number without bound")
        return 0
    if depth == MAX_DEPTH:
        raise JsonError("nested too deep")
    if isinstance(value, dict):
        return _check_object(value, depth + 1)
    return _check_list(value, depth + 1)


def _as_float(whole: int) -> float:
    try:
        return float(whole)
    except OverflowError:
        raise JsonError("a number without bound") from None
