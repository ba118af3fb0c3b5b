"""The value of every part of an expression, for a person who asks why it came out as it did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from policy.cel import typed
from policy.cel.compile import compile_tree
from policy.cel.limits import Limits
from policy.cel.typed import TypedNode, children
from policy.cel.types import BOOL
from policy.cel.values import CelError

REDACTED: Final = "(secret)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubValue:
    """One part of an expression with its value, or with the error that it ended in."""

    start: int
    end: int
    text: str
    value: Any = None
    error: CelError | None = None


def explain_tree(
    root: TypedNode, text: str, limits: Limits, activation: Any
) -> tuple[SubValue, ...]:
    """Evaluate each part on its own, in text order, outermost first."""
    return tuple(_sub_value(node, text, limits, activation) for node in _parts(root))


def _parts(node: TypedNode) -> Iterator[TypedNode]:
    # Constants explain themselves, and the body of a loop has no value outside of it.
    if isinstance(node, typed.Constant):
        return
    yield node
    below = (node.target,) if isinstance(node, typed.Loop) else children(node)
    for child in below:
        yield from _parts(child)


def _sub_value(node: TypedNode, text: str, limits: Limits, activation: Any) -> SubValue:
    evaluate, _ = compile_tree(node, text, limits, None)
    part = text[node.start : node.end]
    try:
        value = evaluate(activation)
    except CelError as error:
        return SubValue(start=node.start, end=node.end, text=part, error=error)
    if node.type != BOOL and _holds_secret(node):
        value = REDACTED
    return SubValue(start=node.start, end=node.end, text=part, value=value)


def _holds_secret(node: TypedNode) -> bool:
    own = isinstance(node, typed.Call) and node.function.secret
    return own or any(map(_holds_secret, children(node)))
