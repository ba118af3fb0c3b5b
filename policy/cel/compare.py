"""Equality, order and membership of values of any type (CEL language definition, "Equality")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy.cel.values import CelError, Duration, FieldMap, Timestamp, Uint

_NUMBERS = (int, Uint, float)
_ORDERED_ALIKE = (str, bytes, bool, Timestamp, Duration)


def equals(left: Any, right: Any) -> bool:
    """Compare two values; values of different kinds are unequal, numbers compare by value."""
    kind, other = type(left), type(right)
    if kind is other and kind not in (list, tuple, dict):
        # NaN is not equal to itself, which Python's own operator gets right.
        return bool(left == right) if not isinstance(left, Mapping) else _equal_maps(left, right)
    if kind in _NUMBERS:
        return other in _NUMBERS and bool(left == right)
    if isinstance(left, list | tuple):
        return (
            isinstance(right, list | tuple)
            and len(left) == len(right)
            and all(map(equals, left, right))
        )
    if isinstance(left, Mapping):
        return isinstance(right, Mapping) and _equal_maps(left, right)
    return False


def _equal_maps(left: Mapping[Any, Any], right: Mapping[Any, Any]) -> bool:
    return len(left) == len(right) and all(
        has_key(right, key) and equals(value, right[key]) for key, value in left.items()
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


def contained(value: Any, container: Any) -> bool:
    """`value in container` for a list or the keys of a map."""
    if isinstance(container, list | tuple):
        return any(equals(value, item) for item in container)
    if isinstance(container, Mapping):
        return has_key(container, value)
    raise no_overload("'in'")


def no_overload(what: str) -> CelError:
    """Return the error of an operator or function that takes no such values."""
    return CelError("no-such-overload", f"{what} got values of types that it does not take")
