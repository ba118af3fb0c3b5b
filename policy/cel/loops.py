"""Loops that need more than a comprehension."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cmp_to_key
from typing import Any

from policy.cel.compare import order
from policy.cel.values import CelError
from policy.cel.work import Work, weight_of


def sort_by(work: Work, items: Iterable[Any], key: Callable[[Any], Any]) -> list[Any]:
    """Sort by a key of each item; items with equal keys keep their order."""
    return sort_pairs(work, [(key(item), item) for item in items])


def sort_pairs(work: Work, pairs: list[tuple[Any, Any]]) -> list[Any]:
    """Return the items of (key, item) pairs in the order of their keys.

    Raises CelError for keys of more than one type, or of a type without order.
    """
    keys = [key for key, _ in pairs]
    work.spend(weight_of(keys) * len(keys).bit_length() * 2)
    kinds = set(map(type, keys))
    if len(kinds) > 1:
        raise CelError("no-such-overload", "only values of one type can be sorted")
    if kinds <= {str, int, bytes}:
        return [item for _, item in sorted(pairs, key=_key_of)]
    for key in keys[:1]:
        order(key, key)  # refuses a type without order, even where there is nothing to compare
    return [item for _, item in sorted(pairs, key=cmp_to_key(_by_order))]


def _by_order(one: tuple[Any, Any], other: tuple[Any, Any]) -> int:
    return order(one[0], other[0]) or 0


def _key_of(pair: tuple[Any, Any]) -> Any:
    return pair[0]
