"""From the syntax tree to the typed tree: names resolved, types checked, mistakes reported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from policy.cel import check_errors, parse_errors, syntax, typed
from policy.cel.assign import fits, joined
from policy.cel.check_calls import check_call
from policy.cel.check_operators import check_binary, check_unary
from policy.cel.environment import Environment
from policy.cel.finding import Finding
from policy.cel.fold import folded_list
from policy.cel.resolve import TYPE_NAMES, Context, Scope, is_name_of_nothing, resolve_chain
from policy.cel.typed import TypedNode
from policy.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    ERROR,
    INT,
    NULL,
    STRING,
    UINT,
    CelType,
    ListType,
    MapType,
    NullableType,
    ObjectType,
    is_dynamic,
    is_numeric,
)
from policy.cel.values import INT_MAX, Uint

_LITERAL_TYPES: Final[dict[type, CelType]] = {
    bool: BOOL,
    int: INT,
    Uint: UINT,
    float: DOUBLE,
    str: STRING,
    bytes: BYTES,
    type(None): NULL,
}


def check_expression(
    tree: syntax.Node, environment: Environment, expect: CelType | None
) -> tuple[TypedNode, list[Finding]]:
    """Check a tree against an environment; errors and warnings are all in the findings."""
    context = Context(environment)
    node = check(tree, {}, context)
    if expect is not None and not fits(node.type, expect):
        context.report(check_errors.wrong_result_type(node.type, expect, node.start, node.end))
    return node, context.findings


def check(node: syntax.Node, scope: Scope, context: Context) -> TypedNode:
    """Check one node and all below it."""
    checked: TypedNode = _CHECKS[type(node)](node, scope, context)
    if not context.environment.checked and not is_dynamic(checked.type):
        return _Dynamic.of(checked)
    return checked


class _Dynamic:
    """Forgets static types, so that an unchecked expression is decided at run time only."""

    @staticmethod
    def of(node: TypedNode) -> TypedNode:
        values = [getattr(node, name) for name in type(node).__dataclass_fields__]
        names = list(type(node).__dataclass_fields__)
        return type(node)(**{**dict(zip(names, values, strict=True)), "type": DYN})


def _literal(node: syntax.Literal, _scope: Scope, context: Context) -> TypedNode:
    value = node.value
    if type(value) is int and value > INT_MAX:
        context.report(
            parse_errors.bad_literal("the number does not fit into 64 bits", node.start, node.end)
        )
    return typed.Constant(value, _LITERAL_TYPES[type(value)], node.start, node.end)


def _name(node: syntax.Ident | syntax.Select, scope: Scope, context: Context) -> TypedNode:
    resolved = resolve_chain(node, scope, context)
    if resolved is None:
        assert isinstance(node, syntax.Select)
        return _select(node, check(node.operand, scope, context), context)
    found = resolved.node
    for select in resolved.rest:
        found = _select(select, found, context)
    return found


def _select(node: syntax.Select, operand: TypedNode, context: Context) -> TypedNode:
    """Read a field of an operand that is already checked."""
    owner = operand.type
    nullable = isinstance(owner, NullableType)
    if isinstance(owner, NullableType):
        owner = owner.of
    match owner:
        case MapType():
            key = typed.Constant(node.field, STRING, node.field_start, node.end)
            return _element(operand, key, node.start, node.end, context)
        case ObjectType():
            field_type = owner.fields.get(node.field)
            if field_type is not None:
                found = _or_null(field_type) if nullable or owner.nullable else field_type
                return typed.Field(operand, node.field, found, node.start, node.end)
        case _ if is_dynamic(owner):
            return typed.Field(operand, node.field, operand.type, node.start, node.end)
        case _:
            pass
    known = owner.fields if isinstance(owner, ObjectType) else ()
    if isinstance(operand, typed.VariableRead) and not known:
        return context.failure(node, _no_member(operand, node, context))
    return context.failure(
        node, check_errors.unknown_field(node.field, owner, node.field_start, node.end, known=known)
    )


def _no_member(operand: typed.VariableRead, node: syntax.Select, context: Context) -> Finding:
    environment = context.environment
    name = f"{operand.variable.name}.{node.field}"
    return check_errors.unknown_variable(
        name,
        node.start,
        node.end,
        phase=environment.phase,
        known=environment.members(operand.variable.name),
        hint=environment.hints.get(name),
    )


def _or_null(cel_type: CelType) -> CelType:
    if is_dynamic(cel_type) or (isinstance(cel_type, ObjectType) and cel_type.nullable):
        return cel_type
    return NullableType(cel_type)


def _index(node: syntax.Index, scope: Scope, context: Context) -> TypedNode:
    operand, index = check(node.operand, scope, context), check(node.index, scope, context)
    return _element(operand, index, node.start, node.end, context)


def _element(
    operand: TypedNode, index: TypedNode, start: int, end: int, context: Context
) -> TypedNode:
    owner = operand.type
    nullable = isinstance(owner, NullableType)
    if isinstance(owner, NullableType):
        owner = owner.of
    match owner:
        case ListType(element=element) if is_numeric(index.type) or is_dynamic(index.type):
            result = element
        case MapType(key=key, value=value) if fits(index.type, key) or (
            is_numeric(index.type) and is_numeric(key)
        ):
            result = _or_null(value) if owner.missing is None else value
        case _ if is_dynamic(owner):
            result = operand.type
        case _:
            result = context.report(
                check_errors.no_operator("[]", (operand.type, index.type), start, end)
            )
    return typed.Element(operand, index, _or_null(result) if nullable else result, start, end)


def _call(node: syntax.Call, scope: Scope, context: Context) -> TypedNode:
    return check_call(node, scope, context, check)


def _unary(node: syntax.Unary, scope: Scope, context: Context) -> TypedNode:
    return check_unary(node, check(node.operand, scope, context), context)


def _binary(node: syntax.Binary, scope: Scope, context: Context) -> TypedNode:
    left, right = check(node.left, scope, context), check(node.right, scope, context)
    return check_binary(node, left, right, context)


def _logic(node: syntax.Logic, scope: Scope, context: Context) -> TypedNode:
    operands = tuple(check(operand, scope, context) for operand in node.operands)
    for operand in operands:
        if not fits(operand.type, BOOL):
            context.report(
                check_errors.no_operator(node.operator, (operand.type,), operand.start, operand.end)
            )
    return typed.Logic(node.operator, operands, BOOL, node.start, node.end)


def _conditional(node: syntax.Conditional, scope: Scope, context: Context) -> TypedNode:
    condition = check(node.condition, scope, context)
    if not fits(condition.type, BOOL):
        context.report(
            check_errors.no_operator("?:", (condition.type,), condition.start, condition.end)
        )
    then, otherwise = check(node.then, scope, context), check(node.otherwise, scope, context)
    result = joined((then.type, otherwise.type))
    return typed.Conditional(condition, then, otherwise, result, node.start, node.end)


def _list(node: syntax.ListLiteral, scope: Scope, context: Context) -> TypedNode:
    items = tuple(check(item, scope, context) for item in node.items)
    element = joined(item.type for item in items)
    return folded_list(typed.ListOf(items, ListType(element), node.start, node.end))


def _map(node: syntax.MapLiteral, scope: Scope, context: Context) -> TypedNode:
    entries = tuple(
        (_map_key(key, scope, context), check(value, scope, context)) for key, value in node.entries
    )
    for key, _ in entries:
        if not (is_dynamic(key.type) or key.type in (INT, UINT, BOOL, STRING)):
            context.report(check_errors.bad_map_key(key.type, key.start, key.end))
    keys, values = joined(k.type for k, _ in entries), joined(v.type for _, v in entries)
    return typed.MapOf(entries, MapType(keys, values), node.start, node.end)


def _map_key(node: syntax.Node, scope: Scope, context: Context) -> TypedNode:
    # `{a: 1}` is how other languages write {'a': 1}.
    if (
        isinstance(node, syntax.Ident)
        and context.environment.checked
        and is_name_of_nothing(node, scope, context)
        and node.name not in TYPE_NAMES
    ):
        context.report(check_errors.key_without_quotes(node.name, node.start, node.end))
        return typed.Constant(node.name, STRING, node.start, node.end)
    return check(node, scope, context)


def _message(node: syntax.Message, scope: Scope, context: Context) -> TypedNode:
    environment = context.environment
    names = environment.candidates(node.name, absolute=False)
    message = next((m for n in names if (m := environment.messages.get(n))), None)
    if message is None:
        return context.failure(node, check_errors.unknown_message(node.name, node.start, node.end))
    fields = tuple((name, check(value, scope, context)) for name, value in node.fields)
    for name, value in fields:
        wanted = message.fields.get(name)
        if wanted is None or not fits(value.type, wanted):
            context.report(
                check_errors.unknown_field(
                    name, message.result, value.start, value.end, known=message.fields
                )
            )
    return typed.Build(message, fields, message.result, node.start, node.end)


def _has(node: syntax.Has, scope: Scope, context: Context) -> TypedNode:
    read = check(node.read, scope, context)
    return typed.Has(read, BOOL, node.start, node.end)


def _macro(node: syntax.Macro, scope: Scope, context: Context) -> TypedNode:
    target = check(node.target, scope, context)
    element = _loop_element(target, context)
    inner = {**scope, node.variable: element}
    condition = None if node.condition is None else check(node.condition, inner, context)
    body = check(node.body, inner, context)
    tests = [condition] if condition is not None else []
    if node.kind in ("all", "exists", "exists_one", "filter"):
        tests.append(body)
    for test in tests:
        if not fits(test.type, BOOL):
            context.report(check_errors.wrong_result_type(test.type, BOOL, test.start, test.end))
    result: CelType = BOOL
    if node.kind == "map":
        result = ListType(body.type)
    elif node.kind in ("filter", "sortBy"):
        result = ListType(element)
    return typed.Loop(
        node.kind, target, node.variable, condition, body, result, node.start, node.end
    )


def _loop_element(target: TypedNode, context: Context) -> CelType:
    found = target.type
    if isinstance(found, NullableType):
        found = found.of
    match found:
        case ListType(element=element):
            return element
        case MapType(key=key):
            return key
        case _ if is_dynamic(found):
            return DYN
        case _:
            context.report(check_errors.not_a_loop_target(found, target.start, target.end))
            return ERROR


_CHECKS: Final[dict[type, Callable[[Any, Scope, Context], TypedNode]]] = {
    syntax.Literal: _literal,
    syntax.Ident: _name,
    syntax.Select: _name,
    syntax.Index: _index,
    syntax.Call: _call,
    syntax.Unary: _unary,
    syntax.Binary: _binary,
    syntax.Logic: _logic,
    syntax.Conditional: _conditional,
    syntax.ListLiteral: _list,
    syntax.MapLiteral: _map,
    syntax.Message: _message,
    syntax.Has: _has,
    syntax.Macro: _macro,
}
