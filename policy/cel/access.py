"""Reads of fields and elements of values whose types are known at run time only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from policy.cel.compare import has_key
from policy.cel.types import REQUIRED
from policy.cel.values import CelError, Duration, FieldMap, Timestamp, TypeValue, Uint, no_overload

_OPAQUE = (Timestamp, Duration, TypeValue)


def element(container: Any, index: Any, missing: object = REQUIRED) -> Any:
    """Read `container[index]`; `missing` is what a read that finds nothing gives."""
    if isinstance(container, list | tuple):
        return list_element(container, _position(index), missing)
    if isinstance(container, Mapping):
        return map_element(container, index, missing)
    raise no_overload("'[]'")


def _position(index: Any) -> int:
    kind = type(index)
    if kind is int or kind is Uint:
        return int(index)
    if kind is float and index.is_integer():
        return int(index)
    raise no_overload("'[]'")


def list_element(items: Any, position: Any, missing: object = REQUIRED) -> Any:
    """Read one item by its position, counted from 0."""
    position = _position(position)
    if 0 <= position < len(items):
        return items[position]
    if missing is REQUIRED:
        raise CelError("index-out-of-range", "a list has no element at that position")
    return missing


def map_element(mapping: Any, key: Any, missing: object = REQUIRED) -> Any:
    """Read the value of one key."""
    if has_key(mapping, key):
        return mapping[key]
    if isinstance(mapping, FieldMap):
        return []
    if missing is REQUIRED:
        raise CelError("no-such-key", f"a map has no such key{_quoted(key)}")
    return missing


def _quoted(key: object) -> str:
    # A short key is nearly always the policy's own text; a long one may be a request's.
    return f": {key!r}" if isinstance(key, str) and len(key) <= 40 and key.isidentifier() else ""


def select(value: Any, name: str) -> Any:
    """Read `value.name`."""
    if isinstance(value, Mapping):
        return map_element(value, name)
    if is_dataclass(value) and not isinstance(value, _OPAQUE):
        if name in {field.name for field in fields(value)}:
            return getattr(value, name)
        raise CelError("no-such-field", f"a value has no field {name!r}")
    if value is None:
        raise CelError("null-value", f"null has no field {name!r}")
    raise no_overload(f"'.{name}'")


def select_or_null(value: Any, name: str) -> Any:
    """Read `value.name` of what may be null, or lack it, which gives null."""
    if value is None:
        return None
    return map_element(value, name, None) if isinstance(value, Mapping) else select(value, name)


def has_field(value: Any, name: str) -> bool:
    """Tell whether `value.name` is there and not null."""
    if isinstance(value, Mapping):
        return has_key(value, name)
    if is_dataclass(value) and not isinstance(value, _OPAQUE):
        return getattr(value, name, None) is not None
    if value is None:
        return False
    raise no_overload(f"'.{name}'")


def has_element(container: Any, index: Any) -> bool:
    """Tell whether `container[index]` is there."""
    if isinstance(container, list | tuple):
        return 0 <= _position(index) < len(container)
    if isinstance(container, Mapping):
        return has_key(container, index)
    if container is None:
        return False
    raise no_overload("'[]'")


def is_set(value: Any) -> bool:
    """Tell whether a variable has a value: absent data reads as '', 0, false, empty or null."""
    return bool(value)


def element_or_null(container: Any, index: Any, missing: object) -> Any:
    """Read `container[index]` of a container that may be null, which gives null."""
    return None if container is None else element(container, index, missing)
