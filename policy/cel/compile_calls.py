"""Compiles calls: inlined, prepared with their constants, direct, or chosen at run time."""

from __future__ import annotations

from policy.cel import emit, errors, typed
from policy.cel.declarations import InvalidConstantError, Overload
from policy.cel.dispatch import Dispatch
from policy.cel.program import ACTIVATION, Code, Program
from policy.cel.types import is_dynamic


def compile_call(node: typed.Call, program: Program) -> Code:
    """Compile one call."""
    arguments = [program.code(argument) for argument in node.arguments]
    expressions = [code.expr for code in arguments]
    raises = any(code.raises for code in arguments)
    leading = [emit.name(ACTIVATION)] if node.function.needs_activation else []
    known = len(node.overloads) == 1 and not _is_undecided(node)
    if not known:
        counts_work = any(overload.counts_work for overload in node.overloads)
        if counts_work:
            leading.append(program.work())
        dispatch = Dispatch(node.function.name, node.overloads, len(leading))
        called = emit.call(program.constant(dispatch), *leading, *expressions)
        return Code(called, raises=True)
    overload = node.overloads[0]
    raises = raises or overload.raises
    if overload.inline is not None:
        return Code(overload.inline(expressions), raises)
    if overload.counts_work:
        leading.append(program.work())
    function = overload.call
    constant = _prepared_argument(node, overload)
    if constant is not None and overload.prepare is not None:
        try:
            function = overload.prepare(constant.value, program.limits)
        except InvalidConstantError as error:
            program.findings.append(errors.invalid_constant(error, constant.start, constant.end))
        del expressions[overload.prepared]
    return Code(emit.call(program.constant(function), *leading, *expressions), raises)


def _is_undecided(node: typed.Call) -> bool:
    overload = node.overloads[0]
    return any(
        is_dynamic(argument.type) and not is_dynamic(parameter)
        for argument, parameter in zip(node.arguments, overload.parameters, strict=True)
    )


def _prepared_argument(node: typed.Call, overload: Overload) -> typed.Constant | None:
    if overload.prepare is None:
        return None
    argument = node.arguments[overload.prepared]
    return argument if isinstance(argument, typed.Constant) else None
