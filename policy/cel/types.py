"""The static types of expressions.

A type also says how a missing read ends (language spec, section 2.5), so that the compiler can
emit the cheapest correct code for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

__all__ = [
    "BOOL", "BYTES", "DOUBLE", "DURATION", "DYN", "ERROR", "INT", "NULL", "REQUIRED", "STRING",
    "TIMESTAMP", "TYPE", "UINT", "CelType", "ListType", "MapType", "NullableType", "ObjectType",
    "Required", "ScalarType", "TypeParameter", "is_dynamic", "is_numeric",
]  # fmt: skip


class Required:
    """The type of `REQUIRED`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Final = Required()
"""As a `missing` value: a read that finds nothing is a run-time error."""


@dataclass(frozen=True, slots=True)
class ScalarType:
    """A type without parameters, by the name that `type()` shows."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ListType:
    """A list or tuple. `missing` is what an index out of range reads, unless it is an error."""

    element: CelType
    missing: object = field(default=REQUIRED, compare=False)

    def __str__(self) -> str:
        return f"list({self.element})"


@dataclass(frozen=True, slots=True)
class MapType:
    """A mapping. `missing` is what an unknown key reads, unless it is an error.

    `folded` promises that values are `FieldMap`, whose string keys are looked up without regard
    to case.
    """

    key: CelType
    value: CelType
    missing: object = field(default=REQUIRED, compare=False)
    folded: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"map({self.key}, {self.value})"


@dataclass(frozen=True, slots=True)
class ObjectType:
    """A Python object whose attributes are read by the names in `fields`.

    With `nullable` the object, or any object on the way to a field, may be None: reading through
    it gives null.
    """

    name: str
    fields: Mapping[str, CelType] = field(compare=False)
    nullable: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class NullableType:
    """A value of type `of`, or null. Checked like `of`; guarded at run time."""

    of: CelType

    def __str__(self) -> str:
        return f"{self.of} or null" if self.of != DYN else "dyn"


@dataclass(frozen=True, slots=True)
class TypeParameter:
    """A type that a function's arguments decide: the `A` of `list(A).slice(int, int)`."""

    name: str

    def __str__(self) -> str:
        return self.name


CelType: TypeAlias = ScalarType | ListType | MapType | ObjectType | NullableType | TypeParameter

BOOL: Final = ScalarType("bool")
INT: Final = ScalarType("int")
UINT: Final = ScalarType("uint")
DOUBLE: Final = ScalarType("double")
STRING: Final = ScalarType("string")
BYTES: Final = ScalarType("bytes")
NULL: Final = ScalarType("null_type")
TIMESTAMP: Final = ScalarType("google.protobuf.Timestamp")
DURATION: Final = ScalarType("google.protobuf.Duration")
TYPE: Final = ScalarType("type")
DYN: Final = ScalarType("dyn")
ERROR: Final = ScalarType("error")
"""The type of a part that was already reported; fits everywhere, so nothing is reported twice."""

_NUMERIC: Final = (INT, UINT, DOUBLE)


def is_numeric(cel_type: CelType) -> bool:
    """Tell whether values are int, uint or double."""
    return cel_type in _NUMERIC


def is_dynamic(cel_type: CelType) -> bool:
    """Tell whether only run time knows the value's type."""
    return cel_type in (DYN, ERROR) or isinstance(cel_type, NullableType | TypeParameter)
