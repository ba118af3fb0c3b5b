"""What type a value is of, as the language names it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policy.cel.values import Duration, Timestamp, TypeValue, Uint, no_overload

_NAMES: Final[dict[type, TypeValue]] = {
    bool: TypeValue("bool"),
    int: TypeValue("int"),
    Uint: TypeValue("uint"),
    float: TypeValue("double"),
    str: TypeValue("string"),
    bytes: TypeValue("bytes"),
    type(None): TypeValue("null_type"),
    list: TypeValue("list"),
    tuple: TypeValue("list"),
    dict: TypeValue("map"),
    Timestamp: TypeValue("google.protobuf.Timestamp"),
    Duration: TypeValue("google.protobuf.Duration"),
    TypeValue: TypeValue("type"),
}
_MAP: Final = TypeValue("map")


def type_of(value: Any) -> TypeValue:
    """Return the type of a value as a value."""
    found = _NAMES.get(type(value))
    if found is not None:
        return found
    if isinstance(value, Mapping):
        return _MAP
    raise no_overload("type()")
