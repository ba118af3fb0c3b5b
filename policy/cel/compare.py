"""Equality, order and membership of values of any type (CEL language definition, "Equality")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from policy.cel.values import Duration, FieldMap, Timestamp, Uint, no_overload
from policy.cel.work import Work

_NUMBERS = (int, Uint, float)
_ORDERED_ALIKE = (str, bytes, bool, Timestamp, Duration)


def equals(left: Any, right: Any, work: Work | None = None) -> bool:
    """Compare two values; values of different kinds are unequal, numbers compare by value.

    With a work budget the parts of lists and maps are charged.
    """
    kind, other = type(left), type(right)
    if kind in _NUMBERS:
        return other in _NUMBERS and bool(left == right)
    if isinstance(left, list | tuple):
        return isinstance(right, list | tuple) and _equal_lists(left, right, work)
    if isinstance(left, Mapping):
        return isinstance(right, Mapping) and _equal_maps(left, right, work)
    if work is not None and (kind is str or kind is bytes):
        work.spend(1 + (len(left) >> 10))
    return kind is other and bool(left == right)


def _equal_lists(left: Sequence[Any], right: Sequence[Any], work: Work | None) -> bool:
    if len(left) != len(right):
        return False
    if work is not None:
        work.spend(1 + 4 * len(left))
    return all(equals(one, other, work) for one, other in zip(left, right, strict=True))


def _equal_maps(left: Mapping[Any, Any], right: Mapping[Any, Any], work: Work | None) -> bool:
    if len(left) != len(right):
        return False
    if work is not None:
        work.spend(1 + 8 * len(left))
    return all(
        has_key(right, key) and equals(value, right[key], work) for key, value in left.items()
    )


def has_key(mapping: Mapping[Any, Any], key: Any) -> bool:
    """Look a key up; a bool is a key of its own, and only a map that has bool keys finds it."""
    kind = type(key)
    if kind is str or kind is int:
        return key in mapping
    if kind is bool:
        return type(mapping) is not dict and not isinstance(mapping, FieldMap) and key in mapping
    if kind is Uint or kind is float:
        return key in mapping
    raise no_overload("a map key")


def order(left: Any, right: Any) -> int | None:
    """Return -1, 0 or 1, and None if either is NaN. Raises CelError for values without order."""
    kind, other = type(left), type(right)
    if (kind in _NUMBERS and other in _NUMBERS) or (kind is other and kind in _ORDERED_ALIKE):
        if kind is not other and float in (kind, other):
            # An integer meets a double as a double, which is what the language compares.
            left, right = float(left), float(right)
        if left < right:
            return -1
        if left > right:
            return 1
        return 0 if left == right else None
    raise no_overload("a comparison")


def less(left: Any, right: Any) -> bool:
    """`left < right` for values whose types are known at run time only."""
    return order(left, right) == -1


def less_or_equal(left: Any, right: Any) -> bool:
    """`left <= right`."""
    return order(left, right) in (-1, 0)


def greater(left: Any, right: Any) -> bool:
    """`left > right`."""
    return order(left, right) == 1


def greater_or_equal(left: Any, right: Any) -> bool:
    """`left >= right`."""
    return order(left, right) in (1, 0)


def contained(value: Any, container: Any, work: Work | None = None) -> bool:
    """`value in container` for a list or the keys of a map."""
    if isinstance(container, list | tuple):
        if work is not None:
            work.spend(1 + 4 * len(container))
        return any(equals(value, item, work) for item in container)
    if isinstance(container, Mapping):
        return has_key(container, value)
    raise no_overload("'in'")
