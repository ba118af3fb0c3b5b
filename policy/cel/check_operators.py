"""Checks operators: their operands' types, and comparisons that can only go one way."""

from __future__ import annotations

from policy.cel import check_errors, lint_errors, syntax, typed
from policy.cel.operators import (
    ARITHMETIC,
    EQUALITY,
    ORDER,
    arithmetic_result,
    is_number_and_text,
    may_be_equal,
    may_be_ordered,
    negation_result,
)
from policy.cel.resolve import Context
from policy.cel.text_numbers import is_numeric_text
from policy.cel.typed import TypedNode
from policy.cel.types import (
    BOOL,
    NULL,
    STRING,
    CelType,
    ListType,
    MapType,
    NullableType,
    ObjectType,
    is_dynamic,
    is_numeric,
)


def check_unary(node: syntax.Unary, operand: TypedNode, context: Context) -> TypedNode:
    """Check `!` or `-`."""
    result = negation_result(node.operator, operand.type)
    if result is None:
        result = context.report(
            check_errors.no_operator(node.operator, (operand.type,), node.start, node.end)
        )
    return typed.Operation(node.operator, (operand,), result, node.start, node.end)


def check_binary(
    node: syntax.Binary, left: TypedNode, right: TypedNode, context: Context
) -> TypedNode:
    """Check an operator with two operands."""
    result: CelType = BOOL
    operator = node.operator
    if operator in ARITHMETIC:
        found = arithmetic_result(operator, left.type, right.type)
        result = found if found is not None else _refuse(node, left, right, context)
    elif operator in ORDER:
        if is_number_and_text(left.type, right.type):
            _check_number_and_text(node, left, right, context)
        elif not may_be_ordered(left.type, right.type):
            _refuse(node, left, right, context)
    elif operator in EQUALITY:
        _check_equality(node, left, right, context)
    else:
        _check_membership(node, left, right, context)
    return typed.Operation(operator, (left, right), result, node.start, node.end)


def _refuse(node: syntax.Binary, left: TypedNode, right: TypedNode, context: Context) -> CelType:
    types = (left.type, right.type)
    hint = None
    if node.operator == "+" and STRING in types:
        hint = "make the other side a string too, with string(x)"
    elif all(map(is_numeric, types)):
        hint = "make both sides the same kind of number, with int(x), uint(x) or double(x)"
    return context.report(
        check_errors.no_operator(node.operator, types, node.start, node.end, hint=hint)
    )


def _check_equality(
    node: syntax.Binary, left: TypedNode, right: TypedNode, context: Context
) -> None:
    if is_number_and_text(left.type, right.type):
        _check_number_and_text(node, left, right, context)
    elif NULL in (left.type, right.type):
        other = right.type if left.type == NULL else left.type
        if not _may_be_null(other):
            context.report(lint_errors.never_null(other, node.operator, node.start, node.end))
    elif not may_be_equal(left.type, right.type):
        context.report(
            check_errors.never_equal(left.type, right.type, node.operator, node.start, node.end)
        )


def _may_be_null(cel_type: CelType) -> bool:
    if isinstance(cel_type, ObjectType):
        return cel_type.nullable
    return cel_type == NULL or is_dynamic(cel_type) or isinstance(cel_type, NullableType)


def _check_number_and_text(
    node: syntax.Binary, left: TypedNode, right: TypedNode, context: Context
) -> None:
    text = left if str(left.type) == "string" else right
    if isinstance(text, typed.Constant) and not is_numeric_text(str(text.value)):
        if node.operator in EQUALITY:
            context.report(
                check_errors.never_equal(left.type, right.type, node.operator, node.start, node.end)
            )
        else:
            _refuse(node, left, right, context)
        return
    context.report(
        lint_errors.number_against_text(
            node.operator, text.start, text.end, is_literal=isinstance(text, typed.Constant)
        )
    )


def _check_membership(
    node: syntax.Binary, left: TypedNode, right: TypedNode, context: Context
) -> None:
    match right.type:
        case ListType(element=inner) | MapType(key=inner):
            if not may_be_equal(left.type, inner):
                context.report(
                    check_errors.never_equal(left.type, inner, "in", node.start, node.end)
                )
        case found if is_dynamic(found):
            pass
        case found:
            hint = "for a part of a text write text.contains(part)" if found == STRING else None
            types = (left.type, found)
            context.report(check_errors.no_operator("in", types, node.start, node.end, hint=hint))
