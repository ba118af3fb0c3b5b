"""Compiles reads: fields, elements and `has()`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from policy.cel import access, emit, typed
from policy.cel.program import ACTIVATION, Code, Program
from policy.cel.typed import TypedNode
from policy.cel.types import (
    INT,
    REQUIRED,
    STRING,
    CelType,
    ListType,
    MapType,
    NullableType,
    ObjectType,
    is_dynamic,
)


def compile_field(node: typed.Field, program: Program) -> Code:
    """Compile `operand.field`."""
    operand = program.code(node.operand)
    owner, nullable = _stripped(node.operand.type)
    if not isinstance(owner, ObjectType):
        read = access.select_or_null if nullable else access.select
        found = emit.call(program.use(read), operand.expr, emit.constant(node.field))
        return Code(found, raises=True)
    if nullable:
        # None has none of the declared fields, so reading through it gives None again.
        found = emit.call("getattr", operand.expr, emit.constant(node.field), emit.constant(None))
        return Code(found, operand.raises)
    return Code(emit.attribute(operand.expr, node.field), operand.raises)


def _stripped(cel_type: CelType) -> tuple[CelType, bool]:
    if isinstance(cel_type, NullableType):
        return cel_type.of, True
    return cel_type, isinstance(cel_type, ObjectType) and cel_type.nullable


def compile_element(node: typed.Element, program: Program) -> Code:
    """Compile `operand[index]`."""
    operand, index = program.code(node.operand), program.code(node.index)
    owner, nullable = _stripped(node.operand.type)
    raises = operand.raises or index.raises
    if nullable:
        read = emit.call(
            program.use(access.element_or_null),
            operand.expr,
            index.expr,
            # Data of unknown shape inside a result: what it lacks is null, too.
            program.constant(None if is_dynamic(owner) else _missing(owner)),
        )
        return Code(read, raises=True)
    if isinstance(owner, MapType) and node.index.type == STRING and owner.missing is not REQUIRED:
        missing = program.constant(owner.missing)
        if owner.folded:
            by_name = by_name_of(node.operand, operand.expr, program)
            return Code(emit.method(by_name, "get", emit.lowered(index.expr), missing), raises)
        return Code(emit.method(operand.expr, "get", index.expr, missing), raises)
    if isinstance(owner, ListType) and _is_zero(node.index) and owner.missing is not REQUIRED:
        # The first of a list that may be empty: of the list, or of one that holds the default.
        default = program.constant((owner.missing,))
        either = emit.logic("||", [operand.expr, default])
        return Code(emit.item(either, emit.constant(0)), raises)
    return _checked_element(node, owner, operand, index, program)


def _checked_element(
    node: typed.Element, owner: CelType, operand: Code, index: Code, program: Program
) -> Code:
    missing = _missing(owner)
    always_there = missing is not REQUIRED
    read: Callable[..., Any] = access.element
    if isinstance(owner, ListType):
        read = access.list_element
    elif isinstance(owner, MapType):
        read = access.map_element
    arguments = [operand.expr, index.expr]
    if always_there:
        arguments.append(program.constant(missing))
    sure = always_there and not is_dynamic(node.index.type) and not is_dynamic(owner)
    sure = sure and (node.index.type == INT or isinstance(owner, MapType))
    raises = operand.raises or index.raises or not sure
    return Code(emit.call(program.use(read), *arguments), raises)


def _missing(owner: CelType) -> object:
    return owner.missing if isinstance(owner, ListType | MapType) else REQUIRED


def _is_zero(node: TypedNode) -> bool:
    return isinstance(node, typed.Constant) and type(node.value) is int and node.value == 0


def compile_has(node: typed.Has, program: Program) -> Code:
    """Compile `has(read)`."""
    read = node.read
    if isinstance(read, typed.Field):
        owner = program.code(read.operand)
        found = emit.call(program.use(access.has_field), owner.expr, emit.constant(read.field))
        sure = isinstance(_stripped(read.operand.type)[0], ObjectType)
        return Code(found, owner.raises or not sure)
    if isinstance(read, typed.Element):
        return _has_element(read, program)
    value = program.code(read)
    return Code(emit.call("bool", value.expr), value.raises)


def _has_element(read: typed.Element, program: Program) -> Code:
    owner, index = program.code(read.operand), program.code(read.index)
    owner_type = read.operand.type
    raises = owner.raises or index.raises
    if isinstance(owner_type, MapType) and read.index.type == STRING:
        return Code(contains_key(read.operand, owner.expr, index.expr, program), raises)
    found = emit.call(program.use(access.has_element), owner.expr, index.expr)
    sure = isinstance(owner_type, ListType) and read.index.type == INT
    return Code(found, raises or not sure)


def contains_key(node: TypedNode, owner: ast.expr, key: ast.expr, program: Program) -> ast.expr:
    """Write `key in owner` for a string key and the map that a node is."""
    if isinstance(node.type, MapType) and node.type.folded:
        return emit.compare(emit.lowered(key), "in", by_name_of(node, owner, program))
    return emit.compare(key, "in", owner)


def by_name_of(node: TypedNode, owner: ast.expr, program: Program) -> ast.expr:
    """Write a read of the plain dict below header fields."""
    path = node.variable.by_name if isinstance(node, typed.VariableRead) else None
    if path is None:
        return emit.attribute(owner, "by_name")
    program.paths.add(path)
    return emit.path(emit.name(ACTIVATION), path)
