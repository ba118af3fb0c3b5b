"""The operators that need equal static types: which operands they take, and what they give."""

from __future__ import annotations

from typing import Final

from policy.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    CelType,
    ListType,
    MapType,
    NullableType,
    is_dynamic,
    is_numeric,
)

ARITHMETIC: Final = ("+", "-", "*", "/", "%")
ORDER: Final = ("<", "<=", ">", ">=")
EQUALITY: Final = ("==", "!=")

_RESULTS: Final[dict[tuple[str, CelType, CelType], CelType]] = {
    **{(op, number, number): number for op in "+-*/" for number in (INT, UINT, DOUBLE)},
    ("%", INT, INT): INT,
    ("%", UINT, UINT): UINT,
    ("+", STRING, STRING): STRING,
    ("+", BYTES, BYTES): BYTES,
    ("+", TIMESTAMP, DURATION): TIMESTAMP,
    ("+", DURATION, TIMESTAMP): TIMESTAMP,
    ("+", DURATION, DURATION): DURATION,
    ("-", TIMESTAMP, TIMESTAMP): DURATION,
    ("-", TIMESTAMP, DURATION): TIMESTAMP,
    ("-", DURATION, DURATION): DURATION,
}
_ORDERED: Final = (BOOL, BYTES, STRING, TIMESTAMP, DURATION)


def arithmetic_result(operator: str, left: CelType, right: CelType) -> CelType | None:
    """Return the type that an arithmetic operator gives, None when it takes no such operands."""
    if isinstance(left, ListType) and isinstance(right, ListType):
        element = left.element if left.element == right.element else DYN
        return ListType(element) if operator == "+" else None
    left, right = _plain(left), _plain(right)
    if not (is_dynamic(left) or is_dynamic(right)):
        return _RESULTS.get((operator, left, right))
    results = {
        result
        for (name, one, other), result in _RESULTS.items()
        if name == operator and _may_be(left, one) and _may_be(right, other)
    }
    if len(results) == 1:
        return results.pop()
    if results:
        return DYN
    some_list = isinstance(left, ListType) or isinstance(right, ListType)
    return DYN if operator == "+" and some_list else None


def negation_result(operator: str, operand: CelType) -> CelType | None:
    """Return the type that `!` or `-` gives, None when it takes no such operand."""
    operand = _plain(operand)
    if operator == "!":
        return BOOL if operand == BOOL or is_dynamic(operand) else None
    if is_dynamic(operand):
        return DYN
    return operand if operand in (INT, DOUBLE) else None


def may_be_ordered(left: CelType, right: CelType) -> bool:
    """Tell whether `<` and its kin take these operands."""
    left, right = _plain(left), _plain(right)
    if is_dynamic(left) or is_dynamic(right):
        other = right if is_dynamic(left) else left
        return is_dynamic(other) or is_numeric(other) or other in _ORDERED
    return (is_numeric(left) and is_numeric(right)) or (left == right and left in _ORDERED)


def may_be_equal(left: CelType, right: CelType) -> bool:
    """Tell whether values of the two types can ever be equal."""
    if is_dynamic(left) or is_dynamic(right):
        return True
    match left, right:
        case ListType(element=one), ListType(element=other):
            return may_be_equal(one, other)
        case MapType(), MapType():
            return may_be_equal(left.key, right.key) and may_be_equal(left.value, right.value)
        case _:
            return left == right or (is_numeric(left) and is_numeric(right))


def is_number_and_text(left: CelType, right: CelType) -> bool:
    """Tell whether an int meets a string, as in `res.status_code < '300'`."""
    return (left, right) in ((INT, STRING), (STRING, INT))


def _may_be(found: CelType, wanted: CelType) -> bool:
    return is_dynamic(found) or found == wanted


def _plain(cel_type: CelType) -> CelType:
    # A null operand fails at run time; what matters here is what it may be otherwise.
    if isinstance(cel_type, NullableType):
        return DYN if not is_dynamic(cel_type.of) else cel_type.of
    return cel_type
