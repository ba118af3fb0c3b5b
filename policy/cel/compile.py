"""From the checked tree to one Python function.

Where static types are known the function is the plain Python an author would write by hand;
only what may fail, or is known at run time alone, goes through slower operators. Constants
(patterns, networks, lists for `in`) are prepared here, once.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Final

from policy.cel import emit, logic, typed
from policy.cel.compile_calls import compile_call
from policy.cel.compile_loops import LOCAL_PREFIX, compile_loop
from policy.cel.compile_operators import compile_operation
from policy.cel.compile_reads import compile_element, compile_field, compile_has
from policy.cel.finding import Finding
from policy.cel.limits import Limits
from policy.cel.maps import make_map
from policy.cel.program import ACTIVATION, Code, Part, Program
from policy.cel.survey import needs_accounts
from policy.cel.typed import TypedNode
from policy.cel.types import BOOL, STRING, CelType, MapType
from policy.cel.values import CelError


def compile_tree(
    node: TypedNode, text: str, limits: Limits, expect: CelType | None
) -> tuple[Callable[[Any], Any], list[Finding]]:
    """Compile a checked tree; the findings are about constants that can't work."""
    program, tree = _program(node, text, limits, expect)
    return program.finish(tree), program.findings


def compile_part(node: TypedNode, text: str, limits: Limits) -> tuple[Part, list[Finding]]:
    """Compile a condition as a part of a function of many; the findings as above."""
    program, tree = _program(node, text, limits, BOOL)
    return program.part(tree), program.findings


def _program(
    node: TypedNode, text: str, limits: Limits, expect: CelType | None
) -> tuple[Program, ast.expr]:
    program = Program(limits, _visit, accounted=needs_accounts(node, limits), text=text)
    code = program.condition(node) if expect == BOOL else program.code(node)
    return program, code.expr


def _visit(node: TypedNode, program: Program) -> Code:
    return _COMPILERS[type(node)](node, program)


def _constant(node: typed.Constant, program: Program) -> Code:
    return Code(program.constant(node.value), raises=False)


def _variable(node: typed.VariableRead, program: Program) -> Code:
    variable = node.variable
    if not variable.fresh:
        program.paths.add(variable.attribute)
    value = emit.path(emit.name(ACTIVATION), variable.attribute)
    if variable.entry is not None:
        value = emit.method(value, "get", emit.constant(variable.entry))
    return Code(value, raises=False)


def _local(node: typed.Local, _program: Program) -> Code:
    return Code(emit.name(LOCAL_PREFIX + node.name), raises=False)


def _logic(node: typed.Logic, program: Program) -> Code:
    operands = [program.condition(operand) for operand in node.operands]
    # An error of an operand counts only if no other operand decides. A last operand that may
    # fail is reached only when no other has decided, so Python's own operator does the same.
    if not any(code.raises for code in operands[:-1]):
        joined = emit.logic(node.operator, [code.expr for code in operands])
        return Code(joined, operands[-1].raises)
    function = program.use(logic.all_of if node.operator == "&&" else logic.any_of)
    return Code(emit.call(function, *map(program.thunk, operands)), raises=True)


def _conditional(node: typed.Conditional, program: Program) -> Code:
    condition = program.condition(node.condition)
    then, otherwise = program.code(node.then), program.code(node.otherwise)
    raises = condition.raises or then.raises or otherwise.raises
    return Code(emit.choice(condition.expr, then.expr, otherwise.expr), raises)


def _list(node: typed.ListOf, program: Program) -> Code:
    items = [program.code(item) for item in node.items]
    made = emit.sequence([code.expr for code in items])
    return Code(made, any(code.raises for code in items))


def _map(node: typed.MapOf, program: Program) -> Code:
    entries = [(program.code(key), program.code(value)) for key, value in node.entries]
    codes = [code for entry in entries for code in entry]
    constants = [key.value for key, _ in node.entries if isinstance(key, typed.Constant)]
    plain = isinstance(node.type, MapType) and node.type.key == STRING
    if plain and len(set(constants)) == len(node.entries):
        made = emit.mapping([key.expr for key, _ in entries], [v.expr for _, v in entries])
        return Code(made, any(code.raises for code in codes))
    pairs = [emit.pair(key.expr, value.expr) for key, value in entries]
    return Code(emit.call(program.use(make_map), *pairs), raises=True)


def _build(node: typed.Build, program: Program) -> Code:
    names = [emit.constant(name) for name, _ in node.fields]
    values = [program.code(value).expr for _, value in node.fields]
    build = program.constant(node.message.build)
    return Code(emit.call(build, emit.mapping(names, values)), raises=True)


def _failure(node: typed.Failure, program: Program) -> Code:
    failing = emit.call(program.use(fail), emit.constant(node.code), emit.constant(node.message))
    return Code(failing, raises=True)


def fail(code: str, message: str) -> None:
    """Raise the error of a part that can't be evaluated."""
    raise CelError(code, message)


_COMPILERS: Final[dict[type, Callable[[Any, Program], Code]]] = {
    typed.Constant: _constant,
    typed.VariableRead: _variable,
    typed.Local: _local,
    typed.Field: compile_field,
    typed.Element: compile_element,
    typed.Call: compile_call,
    typed.Operation: compile_operation,
    typed.Logic: _logic,
    typed.Conditional: _conditional,
    typed.ListOf: _list,
    typed.MapOf: _map,
    typed.Build: _build,
    typed.Has: compile_has,
    typed.Loop: compile_loop,
    typed.Failure: _failure,
}
