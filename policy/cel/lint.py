"""Doubts about an expression that is correct: conditions that never vary, patterns that leak."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policy.cel import lint_errors, typed
from policy.cel.finding import Finding
from policy.cel.typed import TypedNode, children
from policy.cel.types import BOOL, CelType

# A pattern on one of these nearly always guards something, and an attacker chooses the rest of
# the text: `matches('example.com')` is true of example.com.evil.test and of notexample.com.
_BEGINS: Final = ("req.url", "req.url.path", "req.url.uri", "req.url.raw", "req.url.raw_path")
_WHOLE: Final = ("req.host", "req.url.host", "req.url.authority", "conn.tls.sni", "conn.client_ip")
_WHOLE_FIELDS: Final = ("email",)
_FLAGS: Final = re.compile(r"^\(\?[a-zA-Z]+\)")


def lint_tree(root: TypedNode, text: str, expect: CelType | None) -> list[Finding]:
    """Return the warnings about a checked tree, in text order."""
    findings: list[Finding] = []
    if expect == BOOL and not _varies(root):
        findings.append(lint_errors.constant_condition(root.start, root.end))
    else:
        findings += (lint_errors.constant_condition(n.start, n.end) for n in _constant_tests(root))
    for node in _all(root):
        findings += _same_sides(node, text)
        findings += _unanchored(node)
    return findings


def _all(node: TypedNode) -> Iterator[TypedNode]:
    yield node
    for child in children(node):
        yield from _all(child)


def _varies(node: TypedNode) -> bool:
    match node:
        case typed.VariableRead() | typed.Local() | typed.Failure():
            return True
        case typed.Call(function=function) if function.needs_activation:
            return True
        case _:
            return any(map(_varies, children(node)))


def _constant_tests(root: TypedNode) -> Iterator[TypedNode]:
    for node in _all(root):
        match node:
            case typed.Logic(operands=tests):
                yield from (test for test in tests if not _varies(test))
            case typed.Conditional(condition=condition) if not _varies(condition):
                yield condition
            case _:
                pass


def _same_sides(node: TypedNode, text: str) -> Iterator[Finding]:
    match node:
        case typed.Operation(operator=operator, operands=(left, right)) if (
            operator in ("==", "!=", "<", "<=", ">", ">=")
            and _varies(left)
            and not _calls_activation(left)
            and text[left.start : left.end] == text[right.start : right.end]
        ):
            yield lint_errors.same_on_both_sides(operator, node.start, node.end)
        case _:
            return


def _calls_activation(node: TypedNode) -> bool:
    # Two random numbers are written alike and yet differ.
    own = isinstance(node, typed.Call) and node.function.needs_activation
    return own or any(map(_calls_activation, children(node)))


def _unanchored(node: TypedNode) -> Iterator[Finding]:
    match node:
        case typed.Call(
            arguments=(subject, typed.Constant(value=str(pattern), start=start, end=end))
        ) if node.function.name == "matches":
            pass
        case _:
            return
    bare = _FLAGS.sub("", pattern)
    begins, ends = bare.startswith(("^", "\\A")), bare.endswith(("$", "\\z"))
    if _name(subject) in _BEGINS and not begins:
        hint = "begin it with '^', or write contains() if anywhere is what you mean"
        yield lint_errors.unanchored_regex(_name(subject), start, end, hint=hint)
    elif _is_whole(subject) and not (begins and ends):
        hint = "begin it with '^' and end it with '$', and write '[.]' for a dot"
        if _name(subject) == "conn.client_ip":
            hint = "test addresses with inCidrRange(conn.client_ip, '10.0.0.0/8')"
        yield lint_errors.unanchored_regex(_name(subject), start, end, hint=hint)


def _name(node: TypedNode) -> str:
    match node:
        case typed.VariableRead(variable=variable):
            return variable.name
        case typed.Field(field=field):
            return field
        case _:
            return ""


def _is_whole(node: TypedNode) -> bool:
    return _name(node) in (_WHOLE_FIELDS if isinstance(node, typed.Field) else _WHOLE)
