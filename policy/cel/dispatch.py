"""Chooses an overload by the values of the arguments, where their types were not known at load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policy.cel.declarations import Overload
from policy.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    CelType,
    ListType,
    MapType,
    NullableType,
    ObjectType,
)
from policy.cel.values import CelError, Duration, Timestamp, TypeValue, Uint

_PYTHON_TYPES: Final[dict[CelType, type]] = {
    BOOL: bool,
    INT: int,
    UINT: Uint,
    DOUBLE: float,
    STRING: str,
    BYTES: bytes,
    NULL: type(None),
    TIMESTAMP: Timestamp,
    DURATION: Duration,
    TYPE: TypeValue,
}


class Dispatch:
    """A call whose overload is chosen when it runs.

    `leading` counts the arguments before the author's own: the activation and the work budget.
    """

    __slots__ = ("leading", "name", "overloads")

    def __init__(self, name: str, overloads: tuple[Overload, ...], leading: int) -> None:
        self.name = name
        self.overloads = overloads
        self.leading = leading

    def __call__(self, *arguments: Any) -> Any:
        """Call the first overload that takes the arguments. Raises CelError if none does."""
        own = arguments[self.leading :]
        for overload in self.overloads:
            if all(map(is_of_type, own, overload.parameters)):
                if self.leading and not overload.counts_work:
                    return overload.call(*arguments[: self.leading - 1], *own)
                return overload.call(*arguments)
        raise CelError(
            "no-such-overload", f"{self.name}() got values of types that it does not take"
        )


def is_of_type(value: Any, cel_type: CelType) -> bool:
    """Tell whether a value is of a type; parts of lists and maps are not looked at."""
    python_type = _PYTHON_TYPES.get(cel_type)
    if python_type is not None:
        return type(value) is python_type
    match cel_type:
        case ListType():
            return isinstance(value, list | tuple)
        case MapType():
            return isinstance(value, Mapping)
        case NullableType(of=inner):
            return value is None or is_of_type(value, inner)
        case ObjectType(fields=fields):
            return all(hasattr(value, name) for name in fields)
        case _:
            return True
