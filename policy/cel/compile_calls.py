"""Compiles calls: inlined, prepared with their constants, direct, or chosen at run time."""

from __future__ import annotations

import ast

from policy.cel import check_errors, emit, lint_errors, typed
from policy.cel.declarations import InvalidConstantError, Overload, Prepared
from policy.cel.dispatch import Dispatch, required
from policy.cel.program import ACTIVATION, Code, Program
from policy.cel.types import CelType, is_dynamic


def compile_call(node: typed.Call, program: Program) -> Code:
    """Compile one call."""
    overload = node.overloads[0]
    if len(node.overloads) > 1 or not all(map(_is_sure, node.arguments, overload.parameters)):
        return _dispatched(node, program)
    prepared = _prepare(node, overload, program)
    if prepared is not None:
        arguments = [
            _argument(argument, parameter, program)
            for position, (argument, parameter) in enumerate(
                zip(node.arguments, overload.parameters, strict=True)
            )
            if position != overload.prepared
        ]
        return _called(
            arguments, prepared.call, prepared.cost, raises=prepared.raises, program=program
        )
    arguments = [
        _argument(argument, parameter, program)
        for argument, parameter in zip(node.arguments, overload.parameters, strict=True)
    ]
    if overload.inline is not None:
        expressions = [code.expr for code in arguments]
        if expressions:
            expressions[0] = program.charged(expressions[0], overload.cost)
        raises = overload.raises or any(code.raises for code in arguments)
        leading = _leading(node, program, counts_work=False)
        return Code(overload.inline([*leading, *expressions]), raises)
    leading = _leading(node, program, counts_work=overload.counts_work)
    return _called(
        arguments, overload.call, overload.cost,
        raises=overload.raises, program=program, leading=leading,
    )  # fmt: skip


def _called(
    arguments: list[Code],
    function: object,
    cost: int,
    *,
    raises: bool,
    program: Program,
    leading: tuple[ast.expr, ...] = (),
) -> Code:
    expressions = [code.expr for code in arguments]
    if expressions:
        expressions[0] = program.charged(expressions[0], cost)
    raises = raises or any(code.raises for code in arguments)
    return Code(emit.call(program.constant(function), *leading, *expressions), raises)


def _leading(node: typed.Call, program: Program, *, counts_work: bool) -> tuple[ast.expr, ...]:
    activation = (emit.name(ACTIVATION),) if node.function.needs_activation else ()
    return (*activation, program.work()) if counts_work else activation


def _dispatched(node: typed.Call, program: Program) -> Code:
    arguments = [program.code(argument) for argument in node.arguments]
    counts_work = program.accounted or any(o.counts_work for o in node.overloads)
    dispatch = Dispatch(
        node.function.name,
        node.overloads,
        needs_activation=node.function.needs_activation,
        counts_work=counts_work,
    )
    leading = _leading(node, program, counts_work=counts_work)
    expressions = [code.expr for code in arguments]
    return Code(emit.call(program.constant(dispatch), *leading, *expressions), raises=True)


def _is_sure(argument: typed.TypedNode, parameter: CelType) -> bool:
    """Tell whether an argument's type is known, or one test at run time makes it known."""
    return not is_dynamic(argument.type) or is_dynamic(parameter) or required(parameter) is not None


def _argument(argument: typed.TypedNode, parameter: CelType, program: Program) -> Code:
    code = program.code(argument)
    if not is_dynamic(argument.type) or is_dynamic(parameter):
        return code
    require = required(parameter)
    assert require is not None  # what `_is_sure` made certain
    return Code(emit.call(program.constant(require), code.expr), raises=True)


def _prepare(node: typed.Call, overload: Overload, program: Program) -> Prepared | None:
    if overload.prepare is None:
        return None
    argument = node.arguments[overload.prepared]
    if not isinstance(argument, typed.Constant) or is_dynamic(argument.type):
        return None
    start, end = argument.start, argument.end
    try:
        prepared = overload.prepare(argument.value, program.limits)
    except InvalidConstantError as error:
        literal = program.text[start:end]
        program.findings.append(check_errors.invalid_constant(error, literal, start, end))
        return None
    program.findings += (lint_errors.doubtful(doubt, start, end) for doubt in prepared.doubts)
    return prepared
