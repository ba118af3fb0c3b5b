"""Loops that need more than a comprehension."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cmp_to_key
from typing import Any

from policy.cel.compare import order
from policy.cel.values import CelError


def sort_by(items: Iterable[Any], key: Callable[[Any], Any]) -> list[Any]:
    """Sort by a key of each item; items with equal keys keep their order."""
    return [item for _, item in sort_pairs([(key(item), item) for item in items])]


def sort_pairs(pairs: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Sort (key, item) pairs by keys of one type that has an order. Raises CelError else."""
    kinds = {type(key) for key, _ in pairs}
    if len(kinds) > 1:
        raise CelError("no-such-overload", "only values of one type can be sorted")
    if kinds <= {str, int, bytes}:
        return sorted(pairs, key=lambda pair: pair[0])
    return sorted(pairs, key=cmp_to_key(lambda one, other: order(one[0], other[0]) or 0))
