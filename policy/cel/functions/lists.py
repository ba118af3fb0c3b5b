"""Lists: joining, cutting, flattening, sorting."""

from __future__ import annotations

from typing import Any, Final

from policy.cel.compare import equals
from policy.cel.functions.define import function, method, plain
from policy.cel.functions.strings import out_of_bounds
from policy.cel.loops import sort_pairs
from policy.cel.types import DYN, INT, STRING, ListType, TypeParameter
from policy.cel.values import CelError, Uint, no_overload
from policy.cel.work import Work, weight_of

_ITEM: Final = TypeParameter("A")
_LIST: Final = ListType(_ITEM)
_MAX_DEPTH: Final = 32


def join(work: Work, texts: list[str], separator: str = "") -> str:
    """Put strings in a row, with a separator between them."""
    size = 0
    for text in texts:
        if not isinstance(text, str):
            raise no_overload("join()")
        size += len(text) + len(separator)
    work.grow(size)
    return separator.join(texts)


def cut(items: list[Any], start: int, end: int) -> list[Any]:
    """Return the items from one position up to, and without, another."""
    if not 0 <= start <= end <= len(items):
        raise out_of_bounds()
    return list(items[start:end])


def flatten(work: Work, items: list[Any], depth: int = 1) -> list[Any]:
    """Replace lists inside by their items, so many levels deep."""
    if depth < 0:
        raise CelError("bad-argument", "flatten() takes a depth that is not negative")
    flat = list(items)
    for _ in range(min(depth, _MAX_DEPTH)):
        if not any(isinstance(item, list | tuple) for item in flat):
            break
        flat = _flattened_once(work, flat)
    return flat


def _flattened_once(work: Work, items: list[Any]) -> list[Any]:
    flat: list[Any] = []
    for item in items:
        if isinstance(item, list | tuple):
            work.spend(1 + len(item))
            flat.extend(item)
        else:
            flat.append(item)
    work.spend(len(items))
    return flat


def sort(work: Work, items: list[Any]) -> list[Any]:
    """Sort values of one type that has an order."""
    return sort_pairs(work, [(item, item) for item in items])


def distinct(work: Work, items: list[Any]) -> list[Any]:
    """Keep the first of equal values, in their order."""
    work.spend(weight_of(items))
    kept: list[Any] = []
    seen: set[Any] = set()
    for item in items:
        kind = type(item)
        if kind is str or kind is bytes or kind in (int, Uint, float):
            # Numbers that are equal hash alike; strings, bytes and numbers never meet.
            if item in seen:
                continue
            seen.add(item)
        elif any(equals(item, other, work) for other in kept):
            continue
        kept.append(item)
    return kept


def number_range(work: Work, end: int) -> list[int]:
    """Return the numbers from 0 up to, and without, `end`."""
    work.grow(max(0, end))
    work.spend(max(0, end))
    return list(range(end))


LIST_FUNCTIONS: Final = (
    function(
        "join",
        "The strings of a list in a row, with a separator between them if one is given.",
        method((ListType(STRING),), STRING, join, counts_work=True, cost=2048),
        method((ListType(STRING), STRING), STRING, join, counts_work=True, cost=2048),
    ),
    function(
        "slice",
        "The items from one position up to, and without, another.",
        method((_LIST, INT, INT), _LIST, cut, cost=128),
    ),
    function(
        "flatten",
        "The list with the items of lists inside in their place, one level or as many as given.",
        method((ListType(DYN),), ListType(DYN), flatten, counts_work=True),
        method((ListType(DYN), INT), ListType(DYN), flatten, counts_work=True),
    ),
    function(
        "sort",
        "The items in order; all of one type.",
        method((_LIST,), _LIST, sort, counts_work=True),
    ),
    function(
        "distinct",
        "The items without repetitions.",
        method((_LIST,), _LIST, distinct, counts_work=True),
    ),
    function(
        "lists.range",
        "The numbers from 0 up to, and without, n.",
        plain((INT,), ListType(INT), number_range, counts_work=True),
    ),
)
