"""Compiles operators: plain Python for known operands, checked operators for the rest."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Final

from policy.cel import arithmetic, compare, emit, typed
from policy.cel.compile_reads import contains_key
from policy.cel.operators import is_number_and_text
from policy.cel.program import Code, Program
from policy.cel.text_numbers import compare_with_text
from policy.cel.typed import TypedNode
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
    CelType,
    ListType,
    MapType,
    NullableType,
    is_numeric,
)
from policy.cel.values import Duration, Timestamp

_COMPARISONS: Final = ("==", "!=", "<", "<=", ">", ">=")
_PLAIN: Final = (BOOL, BYTES, STRING, TIMESTAMP, DURATION, TYPE)
_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": compare.less,
    "<=": compare.less_or_equal,
    ">": compare.greater,
    ">=": compare.greater_or_equal,
}
_INTS: Final[dict[str, Callable[[int, int], int]]] = {
    "+": arithmetic.add_ints,
    "-": arithmetic.subtract_ints,
    "*": arithmetic.multiply_ints,
    "/": arithmetic.divide_ints,
    "%": arithmetic.modulo_ints,
}
_DYNAMIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "-": arithmetic.subtract,
    "*": arithmetic.multiply,
    "/": arithmetic.divide,
    "%": arithmetic.modulo,
}

# Work for each 1,024 elements of a result or operand.
SUM_COST: Final = 4
COMPARISON_COST: Final = 1
MEMBERSHIP_COST: Final = 2048


def compile_operation(node: typed.Operation, program: Program) -> Code:
    """Compile one operator with its operands."""
    if node.operator == "in":
        return _membership(node.operands[0], node.operands[1], program)
    if len(node.operands) == 1:
        return _negation(node, program)
    left, right = (program.code(operand) for operand in node.operands)
    raises = left.raises or right.raises
    one, other = (operand.type for operand in node.operands)
    if node.operator in _COMPARISONS:
        return _comparison(node.operator, (one, left), (other, right), program)
    if one == other == INT:
        function = program.use(_INTS[node.operator])
        return Code(emit.call(function, left.expr, right.expr), raises=True)
    if one == other == DOUBLE and node.operator in "+-*":
        return Code(emit.binary(left.expr, node.operator, right.expr), raises)
    if node.operator == "+":
        alike = one == other and one in (STRING, BYTES)
        return Code(_sum(left, right, program, alike=alike), raises or not alike)
    function = program.use(_DYNAMIC[node.operator])
    return Code(emit.call(function, left.expr, right.expr), raises=True)


def _sum(left: Code, right: Code, program: Program, *, alike: bool) -> ast.expr:
    joined = program.use(arithmetic.concatenate if alike else arithmetic.add)
    limit = emit.constant(program.limits.max_string)
    return program.charged(emit.call(joined, left.expr, right.expr, limit), SUM_COST)


def _negation(node: typed.Operation, program: Program) -> Code:
    operand = node.operands[0]
    if node.operator == "!":
        code = program.condition(operand)
        return Code(emit.unary("!", code.expr), code.raises)
    code = program.code(operand)
    if operand.type == DOUBLE:
        return Code(emit.unary("-", code.expr), code.raises)
    function = arithmetic.negate_int if operand.type == INT else arithmetic.negate
    return Code(emit.call(program.use(function), code.expr), raises=True)


def _comparison(
    operator: str, left: tuple[CelType, Code], right: tuple[CelType, Code], program: Program
) -> Code:
    (one, left_code), (other, right_code) = left, right
    raises = left_code.raises or right_code.raises
    operands = (left_code.expr, right_code.expr)
    if one == other == STRING and not isinstance(operands[1], ast.Constant):
        operands = (program.charged(operands[0], COMPARISON_COST), operands[1])
    if is_number_and_text(one, other):
        function = program.use(compare_with_text)
        return Code(emit.call(function, emit.constant(operator), *operands), raises=True)
    if one != other and DOUBLE in (one, other) and is_numeric(one) and is_numeric(other):
        operands = (_as_double(one, operands[0]), _as_double(other, operands[1]))
    if one == other and one in (TIMESTAMP, DURATION):
        operands = (_nanoseconds(operands[0], program), _nanoseconds(operands[1], program))
    if _same_in_python(operator, one, other):
        compared = emit.compare(operands[0], operator, operands[1])
        return Code(compared, raises)
    if operator in _ORDER:
        return Code(emit.call(program.use(_ORDER[operator]), *operands), raises=True)
    if NULL in (one, other):
        value = operands[1] if one == NULL else operands[0]
        if isinstance(value, ast.Constant):
            return Code(emit.constant((value.value is None) == (operator == "==")), raises)
        test = "is" if operator == "==" else "is not"
        return Code(emit.compare(value, test, emit.constant(None)), raises)
    equal = emit.call(program.use(compare.equals), *operands, *_budget(program))
    found = equal if operator == "==" else emit.unary("!", equal)
    return Code(found, raises)


def _nanoseconds(value: ast.expr, program: Program) -> ast.expr:
    known = program.names.get(value.id) if isinstance(value, ast.Name) else None
    if isinstance(known, Timestamp | Duration):
        return emit.constant(known.ns)
    return emit.attribute(value, "ns")


def _as_double(kind: CelType, value: ast.expr) -> ast.expr:
    return value if kind == DOUBLE else emit.call("float", value)


def _same_in_python(operator: str, one: CelType, other: CelType) -> bool:
    """Tell whether Python's operator means the same for all values of the two types."""
    if (is_numeric(one) and is_numeric(other)) or (one == other and one in _PLAIN):
        return True
    if operator not in ("==", "!="):
        return False
    # Equality with a string, bytes or time is false for every other type in Python too.
    return any(
        kind in (STRING, BYTES, TIMESTAMP, DURATION) for kind in (_inner(one), _inner(other))
    )


def _inner(cel_type: CelType) -> CelType:
    return cel_type.of if isinstance(cel_type, NullableType) else cel_type


def _membership(item: TypedNode, container: TypedNode, program: Program) -> Code:
    value = program.code(item)
    values = _constant_set(item, container)
    if values is not None:
        if len(values) == 1:
            return Code(
                emit.compare(value.expr, "==", emit.constant(next(iter(values)))), value.raises
            )
        return Code(emit.compare(value.expr, "in", emit.constant(values)), value.raises)
    owner = program.code(container)
    raises = value.raises or owner.raises
    match container.type:
        case MapType() if item.type == STRING:
            return Code(contains_key(container, owner.expr, value.expr, program), raises)
        case ListType(element=element) if item.type == element == STRING:
            items = program.charged(owner.expr, MEMBERSHIP_COST)
            return Code(emit.compare(value.expr, "in", items), raises)
        case kind:
            found = emit.call(
                program.use(compare.contained), value.expr, owner.expr, *_budget(program)
            )
            return Code(found, raises or not isinstance(kind, ListType))


def _budget(program: Program) -> tuple[ast.expr, ...]:
    return (program.work(),) if program.accounted else ()


def _constant_set(item: TypedNode, container: TypedNode) -> frozenset[str | int] | None:
    """Return the values of a constant list in which Python's own look-up is right."""
    python_type = str if item.type == STRING else int if item.type == INT else None
    if python_type is None or not isinstance(container, typed.Constant):
        return None
    values = container.value
    if not isinstance(values, tuple) or not all(type(v) is python_type for v in values):
        return None
    return frozenset(values)
