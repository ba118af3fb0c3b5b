"""Compiles the macros that loop over lists and the keys of maps."""

from __future__ import annotations

import ast

from policy.cel import emit, logic, loops, typed
from policy.cel.program import Code, Program
from policy.cel.survey import size_of
from policy.cel.types import ListType, MapType

LOCAL_PREFIX = "local_"


def compile_loop(node: typed.Loop, program: Program) -> Code:
    """Compile one macro."""
    target = program.code(node.target)
    sure = isinstance(node.target.type, ListType | MapType) and not target.raises
    variable = LOCAL_PREFIX + node.variable
    # The whole loop is charged before it begins: its length, times the size of its body.
    units = 2 + size_of(node.body) + (0 if node.condition is None else size_of(node.condition))
    charge = emit.attribute(program.work(), "loop")
    items = emit.call(charge, target.expr, emit.constant(units))
    body = program.condition(node.body) if node.kind in _TESTS else program.code(node.body)
    raises = body.raises or not sure
    match node.kind:
        case "map":
            return _map(node, variable, items, body, program)
        case "filter":
            kept = emit.name(variable)
            return Code(emit.list_comprehension(kept, variable, items, body.expr), raises)
        case "exists_one":
            matches = emit.generator(emit.constant(1), variable, items, body.expr)
            return Code(_is_one(emit.call("sum", matches)), raises)
        case "sortBy":
            key = emit.thunk(body.expr, variable)
            sort = program.use(loops.sort_by)
            return Code(emit.call(sort, program.work(), items, key), raises=True)
        case "all" | "exists":
            return _test(node, variable, items, body, program, raises=raises)


_TESTS = ("all", "exists", "exists_one", "filter")


def _map(node: typed.Loop, variable: str, items: ast.expr, body: Code, program: Program) -> Code:
    test = None if node.condition is None else program.condition(node.condition)
    made = emit.list_comprehension(body.expr, variable, items, test.expr if test else None)
    sure = isinstance(node.target.type, ListType | MapType)
    return Code(made, body.raises or not sure or (test is not None and test.raises))


def _is_one(count: ast.expr) -> ast.expr:
    return emit.compare(count, "==", emit.constant(1))


def _test(
    node: typed.Loop,
    variable: str,
    items: ast.expr,
    body: Code,
    program: Program,
    *,
    raises: bool,
) -> Code:
    if body.raises:
        slow = logic.loop_all if node.kind == "all" else logic.loop_exists
        function = emit.thunk(body.expr, variable)
        return Code(emit.call(program.use(slow), items, function), raises=True)
    builtin = "all" if node.kind == "all" else "any"
    return Code(emit.call(builtin, emit.generator(body.expr, variable, items, None)), raises)
