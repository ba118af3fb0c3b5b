"""Which type fits where, and what a function's type parameters stand for in one call."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from policy.cel.types import (
    DYN,
    ERROR,
    NULL,
    REQUIRED,
    CelType,
    ListType,
    MapType,
    NullableType,
    ObjectType,
    TypeParameter,
    is_dynamic,
)

Bindings = dict[str, CelType]


def fits(found: CelType, wanted: CelType, bindings: Bindings | None = None) -> bool:
    """Tell whether a value of one type may stand where another is wanted.

    What only run time can tell counts as fitting. Type parameters of `wanted` are bound in
    `bindings` by the first argument that decides them.
    """
    if isinstance(wanted, TypeParameter):
        return _bind(found, wanted, bindings if bindings is not None else {})
    if is_dynamic(found) or is_dynamic(wanted):
        return _may_be(found, wanted, bindings)
    match found, wanted:
        case ListType(element=one), ListType(element=other):
            return fits(one, other, bindings)
        case MapType(), MapType():
            return fits(found.key, wanted.key, bindings) and fits(
                found.value, wanted.value, bindings
            )
        case ObjectType(nullable=True), _ if wanted == NULL:
            return True
        case _:
            return found == wanted


def _may_be(found: CelType, wanted: CelType, bindings: Bindings | None) -> bool:
    if isinstance(found, NullableType):
        return wanted in (NULL, DYN, ERROR) or fits(found.of, wanted, bindings)
    if isinstance(wanted, NullableType):
        return found in (NULL, DYN, ERROR) or fits(found, wanted.of, bindings)
    return True


def _bind(found: CelType, parameter: TypeParameter, bindings: Bindings) -> bool:
    bound = bindings.get(parameter.name)
    if bound is None or bound == DYN:
        bindings[parameter.name] = found
        return True
    return fits(found, bound)


def substitute(cel_type: CelType, bindings: Bindings) -> CelType:
    """Replace type parameters by what they are bound to; unbound ones are dynamic."""
    match cel_type:
        case TypeParameter(name=name):
            return bindings.get(name, DYN)
        case ListType(element=element, missing=missing):
            return ListType(substitute(element, bindings), missing)
        case MapType(key=key, value=value):
            return MapType(
                substitute(key, bindings),
                substitute(value, bindings),
                cel_type.missing,
                cel_type.folded,
            )
        case _:
            return cel_type


def joined(types: Iterable[CelType]) -> CelType:
    """Return the one type of values that may have any of these: dynamic if they differ."""
    unique = list(types)
    return reduce(_join, unique) if unique else DYN


def _join(one: CelType, other: CelType) -> CelType:
    match one, other:
        case ListType(element=left), ListType(element=right):
            missing = one.missing if one.missing == other.missing else REQUIRED
            return ListType(_join_parts(left, right), missing)
        case MapType(), MapType():
            return MapType(_join_parts(one.key, other.key), _join_parts(one.value, other.value))
        case _:
            return one if one == other else DYN


def _join_parts(one: CelType, other: CelType) -> CelType:
    # The element type of an empty literal is dynamic and takes the other's.
    return _join(one, other)
