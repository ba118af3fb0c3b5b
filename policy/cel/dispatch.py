"""Chooses an overload by the values of the arguments, where their types were not known at load."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from policy.cel.values import Duration, Timestamp, TypeValue, Uint, no_overload

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


def required(cel_type: CelType) -> Callable[[Any], Any] | None:
    """Return the function that lets only values of one type through, None if there is none.

    It returns the value itself, or raises CelError.
    """
    return _REQUIRED.get(cel_type)


def _require(python_type: type) -> Callable[[Any], Any]:
    def require(value: Any) -> Any:
        if type(value) is python_type:
            return value
        raise no_overload("a function or operator")

    return require


class Dispatch:
    """A call whose overload is chosen when it runs.

    It is called with the activation, if the function needs it, then with the work budget, if the
    program or one of the overloads counts work, then with the author's arguments.
    """

    __slots__ = ("_counts_work", "_needs_activation", "_overloads", "name")

    def __init__(
        self,
        name: str,
        overloads: tuple[Overload, ...],
        *,
        needs_activation: bool,
        counts_work: bool,
    ) -> None:
        self.name = name
        self._overloads = overloads
        self._needs_activation = needs_activation
        self._counts_work = counts_work

    def __call__(self, *arguments: Any) -> Any:
        """Call the first overload that takes the arguments. Raises CelError if none does."""
        work_at = 1 if self._needs_activation else 0
        own_at = work_at + 1 if self._counts_work else work_at
        own = arguments[own_at:]
        for overload in self._overloads:
            if all(map(is_of_type, own, overload.parameters)):
                if self._counts_work and own:
                    arguments[work_at].sized(own[0], overload.cost)
                leading = arguments[: own_at if overload.counts_work else work_at]
                return overload.call(*leading, *own)
        raise no_overload(f"{self.name}()")


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


_REQUIRED: Final[dict[CelType, Callable[[Any], Any]]] = {
    kind: _require(_PYTHON_TYPES[kind])
    for kind in (STRING, INT, BOOL, DOUBLE, BYTES, TIMESTAMP, DURATION)
}
