"""Compiles the macros that loop over lists and the keys of maps."""

from __future__ import annotations

import ast

from policy.cel import emit, logic, loops, typed
from policy.cel.program import Code, Program
from policy.cel.typed import TypedNode, children
from policy.cel.types import MapType

LOCAL_PREFIX = "local_"


def compile_loop(node: typed.Loop, program: Program) -> Code:
    """Compile one macro."""
    target = program.code(node.target)
    variable = LOCAL_PREFIX + node.variable
    # The whole loop is charged before it begins: its length, times the size of its body.
    units = 2 + _size(node.body) + (0 if node.condition is None else _size(node.condition))
    items = emit.method(program.work(), "loop", target.expr, emit.constant(units))
    if node.kind == "map":
        return _map(node, variable, items, program)
    if node.kind == "filter":
        test = program.condition(node.body)
        kept = emit.name(variable)
        return Code(emit.list_comprehension(kept, variable, items, test.expr), raises=True)
    if node.kind == "sortBy":
        key = program.code(node.body)
        function = emit.thunk(key.expr, variable)
        return Code(emit.call(program.use(loops.sort_by), items, function), raises=True)
    return _test(node, variable, items, program)


def _map(node: typed.Loop, variable: str, items: ast.expr, program: Program) -> Code:
    body = program.code(node.body)
    test = None if node.condition is None else program.condition(node.condition).expr
    return Code(emit.list_comprehension(body.expr, variable, items, test), raises=True)


def _test(node: typed.Loop, variable: str, items: ast.expr, program: Program) -> Code:
    test = program.condition(node.body)
    if node.kind == "exists_one":
        matches = emit.generator(emit.constant(1), variable, items, test.expr)
        counted = emit.compare(emit.call("sum", matches), ast.Eq(), emit.constant(1))
        return Code(counted, raises=True)
    if test.raises:
        slow = logic.loop_all if node.kind == "all" else logic.loop_exists
        function = emit.thunk(test.expr, variable)
        return Code(emit.call(program.use(slow), items, function), raises=True)
    builtin = "all" if node.kind == "all" else "any"
    return Code(emit.call(builtin, emit.generator(test.expr, variable, items, None)), raises=True)


def _size(node: TypedNode) -> int:
    return 1 + sum(_size(child) for child in children(node))


__all__ = ["LOCAL_PREFIX", "MapType", "compile_loop"]
