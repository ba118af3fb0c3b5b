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
    if not isinstance(value, dict | list):
        return value
    strings = _check(value, 1)
    # The reader keeps the last of several members of one name. Then there are fewer names and
    # texts than were written: each is written with two quotation marks, and others are escaped.
    if 2 * strings != data.count(b'"') - _escaped(data):
        raise JsonError("a member twice")
    return value


def _escaped(data: bytes) -> int:
    """Count the escaped quotation marks of a JSON text."""
    # Not `in`, which of bytes tries first whether it is asked for a number.
    if data.find(b"\\") < 0:
        return 0
    return data.replace(b"\\\\", b"").count(b'\\"')


def _check(parts: Any, depth: int) -> int:
    """Check an object or list and return how many names and texts are in it; raises JsonError.

    Whole numbers beyond 64 bits become floats. What lies deeper than allowed is never gone into.
    """
    if depth > MAX_DEPTH:
        raise JsonError("nested too deep")
    is_object = isinstance(parts, dict)
    strings: int = len(parts) if is_object else 0
    for at, value in parts.items() if is_object else enumerate(parts):
        if isinstance(value, str):
            strings += 1
        elif isinstance(value, int):
            if not -INT64 <= value < INT64:
                parts[at] = _as_float(value)
        elif isinstance(value, float):
            if not math.isfinite(value):
                raise JsonError("a number without bound")
        elif value is not None:
            strings += _check(value, depth + 1)
    return strings


def _as_float(whole: int) -> float:
    try:
        return float(whole)
    except OverflowError:
        raise JsonError("a number without bound") from None
