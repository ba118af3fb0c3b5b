"""Looks over a checked tree before it is compiled: how much work it can be at most."""

from __future__ import annotations

from typing import Final

from policy.cel import typed
from policy.cel.limits import Limits
from policy.cel.typed import TypedNode, children

# What one request can bring in a single value: the request head's own limit.
_LARGEST_VALUE_KIB: Final = 1_024
_LEAST_COST: Final = 1


def needs_accounts(node: TypedNode, limits: Limits) -> bool:
    """Tell whether an evaluation might use up its work budget, so that parts must be charged."""
    if _has_loop(node):
        return True
    return _cost(node) * _LARGEST_VALUE_KIB > limits.work


def _has_loop(node: TypedNode) -> bool:
    return isinstance(node, typed.Loop) or any(map(_has_loop, children(node)))


def _cost(node: TypedNode) -> int:
    own = _LEAST_COST
    if isinstance(node, typed.Call):
        own += max(overload.cost for overload in node.overloads)
    return own + sum(map(_cost, children(node)))


def size_of(node: TypedNode) -> int:
    """Count the nodes of a tree: what one turn of a loop is charged for its body."""
    return 1 + sum(map(size_of, children(node)))
