"""Computes at load what does not depend on the traffic: calls and lists of constants."""

from __future__ import annotations

from policy.cel import check_errors, typed
from policy.cel.hints import CONSTANT_HINTS
from policy.cel.resolve import Context
from policy.cel.typed import TypedNode
from policy.cel.types import is_dynamic
from policy.cel.values import CelError
from policy.cel.work import Work


def folded_list(node: typed.ListOf) -> TypedNode:
    """Make a list of constants one constant, a tuple, since nothing may change it later."""
    values: list[object] = []
    for item in node.items:
        if not isinstance(item, typed.Constant):
            return node
        values.append(item.value)
    return typed.Constant(tuple(values), node.type, node.start, node.end)


def folded_call(call: typed.Call, context: Context) -> TypedNode:
    """Make a call with constant arguments one constant; report it if it can only fail."""
    overload = call.overloads[0]
    if (
        not context.environment.checked
        or len(call.overloads) > 1
        or call.function.needs_activation
        or overload.prepare is not None
    ):
        return call
    values: list[object] = []
    for argument in call.arguments:
        # A part that was reported, or went through dyn(), is of a type that no overload was
        # chosen for.
        if not isinstance(argument, typed.Constant) or is_dynamic(argument.type):
            return call
        values.append(argument.value)
    limits = context.environment.limits
    leading = (Work(limits),) if overload.counts_work else ()
    try:
        value = overload.call(*leading, *values)
    except CelError as error:
        context.report(
            check_errors.constant_fails(
                call.function.name,
                error.message,
                call.start,
                call.end,
                hint=CONSTANT_HINTS.get(call.function.name),
            )
        )
        return call
    value = tuple(value) if isinstance(value, list) else value
    return typed.Constant(value, call.type, call.start, call.end)
