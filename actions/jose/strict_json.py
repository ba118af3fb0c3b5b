"""JSON from strangers: bounded before it is read, and never ambiguous (D1-2).

Refused are duplicate members, of which readers take different ones; NaN and Infinity, which JSON
has not; numbers beyond a double; half surrogate pairs, which are no text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, Final, NoReturn

MAX_DEPTH: Final = 32
MAX_VALUES: Final = 2_000
INT64: Final = 2**63
WHITE_SPACE: Final = " \t\n\r"


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
    openers = data.count(b"[") + data.count(b"{")
    if len(data) > max_values and openers + data.count(b",") > max_values:
        raise JsonError("too many values")
    try:
        value = _read(data.decode("utf-8"))
        # The first question is answered fast, and nearly always all there is to ask.
        if b"\\" in data and b"\\u" in data:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except JsonError:
        raise
    except (ValueError, RecursionError):
        # Never with the text itself: it may be a secret.
        raise JsonError("no JSON") from None
    if openers > MAX_DEPTH and depth_of(value) > MAX_DEPTH:
        raise JsonError("nested too deep")
    return value


def _read(text: str) -> Any:
    if not text.startswith("{"):
        return _DECODER.decode(text)
    # As `decode`, which looks for white space before and behind, where hardly ever is any.
    value, end = _DECODER.raw_decode(text)
    if end != len(text) and text[end:].strip(WHITE_SPACE):
        raise JsonError("something behind its end")
    return value


def depth_of(value: object) -> int:
    """Return how deep lists and objects nest in a value that was read."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, list | dict)]:
        depth += 1
        level = [part for each in level for part in _parts(each)]
    return depth


def _parts(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise JsonError("a member twice")
    return members


def _whole(digits: str) -> int | float:
    if len(digits) < 19:
        return int(digits)
    value = _finite(digits)
    exact = int(digits) if abs(value) < 2 * INT64 else INT64
    return exact if -INT64 <= exact < INT64 else value


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise JsonError("a number without bound")
    return value


def _no_constant(_name: str) -> NoReturn:
    raise JsonError("no number")


# Made once: making one takes longer than reading a token's header.
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_int=_whole,
    parse_float=_finite,
    parse_constant=_no_constant,
)
