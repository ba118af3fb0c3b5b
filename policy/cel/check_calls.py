"""Checks calls: which function a name means, and which of its overloads fit the arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from policy.cel import check_errors, lint_errors, syntax, typed
from policy.cel.assign import Bindings, fits, joined, substitute
from policy.cel.declarations import Function, Overload
from policy.cel.finding import Finding
from policy.cel.fold import folded_call
from policy.cel.hints import ARGUMENT_HINTS, FUNCTION_HINTS, FUNCTION_NAMESPACE_HINTS
from policy.cel.resolve import Context, Scope, is_name_of_nothing
from policy.cel.tree import dotted_name
from policy.cel.typed import TypedNode
from policy.cel.types import DYN, is_dynamic

Check: TypeAlias = Callable[[syntax.Node, Scope, Context], TypedNode]


def check_call(node: syntax.Call, scope: Scope, context: Context, check: Check) -> TypedNode:
    """Check a call, its target and its arguments."""
    function, is_method = _find(node, scope, context)
    if function is not None and not _has_arity(function, node, is_method=is_method):
        return context.failure(node, _wrong_count(function, node, is_method=is_method))
    parts = node.arguments
    if (
        node.target is not None
        and is_method
        and not (function is None and _is_function_namespace(node.target, scope, context))
    ):
        parts = (node.target, *parts)
    arguments = tuple(check(part, scope, context) for part in parts)
    if function is None:
        return context.failure(node, _unknown(node, scope, context))
    environment = context.environment
    name_end = node.name_start + len(node.function)
    if environment.phase not in function.phases:
        return context.failure(
            node,
            check_errors.not_in_phase(
                "function", function.name, node.name_start, name_end,
                phase=environment.phase, phases=function.phases,
            ),
        )  # fmt: skip
    if function.alias_of is not None and environment.checked:
        context.report(
            lint_errors.alias_used(function.name, function.alias_of, node.name_start, name_end)
        )
    return _apply(node, function, arguments, is_method=is_method, context=context)


def _find(node: syntax.Call, scope: Scope, context: Context) -> tuple[Function | None, bool]:
    functions = context.environment.functions
    if node.target is None:
        names = context.environment.candidates(node.function, absolute=False)
        return next((f for name in names if (f := functions.get(name))), None), False
    namespace = dotted_name(node.target)
    if namespace is not None and is_name_of_nothing(node.target, scope, context):
        names = context.environment.candidates(f"{namespace}.{node.function}", absolute=False)
        for name in names:
            if name in functions:
                return functions[name], False
    return functions.get(node.function), True


def _is_function_namespace(target: syntax.Node, scope: Scope, context: Context) -> bool:
    """Tell whether a name stands for functions, ours or those of another tool."""
    name = dotted_name(target)
    known = {*context.environment.function_namespaces, *FUNCTION_NAMESPACE_HINTS}
    return name in known and is_name_of_nothing(target, scope, context)


def _unknown(node: syntax.Call, scope: Scope, context: Context) -> Finding:
    name, start = node.function, node.name_start
    end = start + len(name)
    namespace = None if node.target is None else dotted_name(node.target)
    hint = FUNCTION_HINTS.get(name)
    if namespace is not None and is_name_of_nothing(node.target or node, scope, context):
        assert node.target is not None
        full = f"{namespace}.{name}"
        hint = FUNCTION_HINTS.get(full) or FUNCTION_NAMESPACE_HINTS.get(namespace) or hint
        if _is_function_namespace(node.target, scope, context):
            name, start = full, node.target.start
    return check_errors.unknown_function(
        name, start, end, known=context.environment.function_names, hint=hint
    )


def _has_arity(function: Function, node: syntax.Call, *, is_method: bool) -> bool:
    count = len(node.arguments) + (1 if is_method else 0)
    return any(
        overload.method is is_method and len(overload.parameters) == count
        for overload in function.overloads
    )


def _wrong_count(function: Function, node: syntax.Call, *, is_method: bool) -> Finding:
    end = node.name_start + len(node.function)
    same_form = [o for o in function.overloads if o.method is is_method]
    accepted = [overload.describe(function.name) for overload in same_form or function.overloads]
    return check_errors.wrong_argument_count(
        function.name,
        len(node.arguments),
        accepted,
        node.name_start,
        end,
        hint=ARGUMENT_HINTS.get(function.name),
    )


def _apply(
    node: syntax.Call,
    function: Function,
    arguments: tuple[TypedNode, ...],
    *,
    is_method: bool,
    context: Context,
) -> TypedNode:
    matches: list[tuple[Overload, Bindings]] = []
    for overload in function.overloads:
        bindings: Bindings = {}
        if overload.method is is_method and _takes(overload, arguments, bindings):
            matches.append((overload, bindings))
    if not matches:
        return context.failure(node, _no_overload(node, function, arguments, is_method=is_method))
    if not any(is_dynamic(argument.type) for argument in arguments):
        del matches[1:]
    if matches[0][0].doubt is not None and len(matches) == 1:
        end = node.name_start + len(node.function)
        context.report(lint_errors.doubtful(matches[0][0].doubt, node.name_start, end))
    result = joined(substitute(overload.result, bindings) for overload, bindings in matches)
    overloads = tuple(overload for overload, _ in matches)
    call = typed.Call(function, overloads, arguments, result, node.start, node.end)
    return folded_call(call, context)


def _takes(overload: Overload, arguments: tuple[TypedNode, ...], bindings: Bindings) -> bool:
    return len(arguments) == len(overload.parameters) and all(
        fits(argument.type, parameter, bindings)
        for argument, parameter in zip(arguments, overload.parameters, strict=True)
    )


def _no_overload(
    node: syntax.Call,
    function: Function,
    arguments: tuple[TypedNode, ...],
    *,
    is_method: bool,
) -> Finding:
    same_form = [o for o in function.overloads if o.method is is_method]
    accepted = [o.describe(function.name) for o in same_form or function.overloads]
    found = (
        [argument.type for argument in arguments[1:] if is_method]
        if is_method
        else [argument.type for argument in arguments]
    )
    owner = f"{arguments[0].type}.{function.name}" if is_method else function.name
    end = node.name_start + len(node.function)
    return check_errors.no_overload(
        owner, found or [], accepted, node.name_start, max(end, node.end)
    )


__all__ = ["DYN", "Check", "check_call"]
