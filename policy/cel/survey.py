"""Looks over a checked tree before it is compiled: how much work it can be at most."""

from __future__ import annotations

from typing import Final

from policy.cel import typed
from policy.cel.limits import Limits
from policy.cel.typed import TypedNode, children
from policy.cel.types import CelType, ListType, MapType, is_dynamic

# What one request can bring in a single value: the request head's own limit.
_LARGEST_VALUE_KIB: Final = 1_024
_LEAST_COST: Final = 1


def needs_accounts(node: TypedNode, limits: Limits) -> bool:
    """Tell whether an evaluation might use up its work budget, so that parts must be charged."""
    if _is_unbounded(node):
        return True
    return _cost(node) * _LARGEST_VALUE_KIB > limits.work


def _is_unbounded(node: TypedNode) -> bool:
    """Tell whether the work is not in proportion to the sizes of the values read.

    A loop's is not; nor is the comparison of lists and maps, which may hold one part many times.
    """
    return (
        isinstance(node, typed.Loop)
        or (isinstance(node, typed.Operation) and _compares_parts(node))
        or any(map(_is_unbounded, children(node)))
    )


def _compares_parts(node: typed.Operation) -> bool:
    if node.operator in ("==", "!="):
        return all(_may_have_parts(operand.type) for operand in node.operands)
    if node.operator == "in":
        return is_dynamic(node.operands[1].type)
    return False


def _may_have_parts(cel_type: CelType) -> bool:
    return isinstance(cel_type, ListType | MapType) or is_dynamic(cel_type)


def _cost(node: TypedNode) -> int:
    own = _LEAST_COST
    if isinstance(node, typed.Call):
        own += max(overload.cost for overload in node.overloads)
    return own + sum(map(_cost, children(node)))


def size_of(node: TypedNode) -> int:
    """Count the nodes of a tree: what one turn of a loop is charged for its body."""
    return 1 + sum(map(size_of, children(node)))
