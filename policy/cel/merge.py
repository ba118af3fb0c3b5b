"""Merges the conditions of several rules into one function: names kept apart, reads shared.

The first read that is certain to happen keeps its value under a local name, and whatever runs
later finds it there. A read that may not happen, as behind `and`, keeps it for its own branch
only: nothing is computed that would not have been, and nothing is missing where it is looked for.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from policy.cel import emit
from policy.cel.program import ACTIVATION, Part

LOCAL_PREFIX: Final = "kept_"


class Merge:
    """Takes conditions in the order in which they run, each behind those that missed.

    `names` is what the merged function refers to.
    """

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self._local_names: dict[str, str] = {}
        # The paths whose values are at hand wherever the function has come to.
        self._kept: set[str] = set()
        self._paths: frozenset[str] = frozenset()
        self._renamed: Mapping[str, str] = {}

    def all_of(self, conditions: Sequence[Part]) -> ast.expr:
        """Take the conditions of one rule, of which a false one guards those after it."""
        first, *others = conditions
        certain = self._taken(first)
        before = self._kept.copy()
        joined = emit.all_of([certain, *map(self._taken, others)])
        self._kept = before
        return joined

    def forget(self) -> None:
        """Take what follows for a place that the function may come to from elsewhere."""
        self._kept.clear()

    def _taken(self, part: Part) -> ast.expr:
        self._paths = part.paths
        self._renamed = {name: self._own_name(name, value) for name, value in part.names.items()}
        return self._visit(part.tree)

    def _own_name(self, name: str, value: object) -> str:
        if self.names.setdefault(name, value) is value:
            return name
        own = f"{name}_{len(self.names)}"
        self.names[own] = value
        return own

    def _visit(self, node: ast.expr) -> ast.expr:
        """Return a node anew: none is changed, since it may stand at two places."""
        return _VISITS.get(type(node), Merge._part_by_part)(self, node)

    def _constant(self, node: ast.Constant) -> ast.expr:
        return node

    def _name(self, node: ast.Name) -> ast.expr:
        return emit.name(self._renamed.get(node.id, node.id))

    def _attribute(self, node: ast.Attribute) -> ast.expr:
        path = self._path(node)
        if path is None:
            return emit.attribute(self._visit(node.value), node.attr)
        return self._read(path, node)

    def _logic(self, node: ast.BoolOp) -> ast.expr:
        certain = self._visit(node.values[0])
        before = self._kept.copy()
        operands = [certain, *map(self._visit, node.values[1:])]
        self._kept = before
        return ast.BoolOp(node.op, operands, lineno=1, col_offset=0)

    def _choice(self, node: ast.IfExp) -> ast.expr:
        condition = self._visit(node.test)
        return emit.choice(condition, self._branch(node.body), self._branch(node.orelse))

    def _branch(self, node: ast.expr) -> ast.expr:
        before = self._kept.copy()
        visited = self._visit(node)
        self._kept = before
        return visited

    def _mapping(self, node: ast.Dict) -> ast.expr:
        # Python goes through it entry by entry, and not field by field.
        pairs = [
            (self._visit(key), self._visit(value))
            for key, value in zip(node.keys, node.values, strict=True)
            if key is not None
        ]
        return emit.mapping([key for key, _ in pairs], [value for _, value in pairs])

    def _path(self, node: ast.expr) -> str | None:
        """Return the path of the activation that is read here, None if it is not to be kept."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id != ACTIVATION:
            return None
        path = ".".join(reversed(parts))
        return path if path in self._paths else None

    def _read(self, path: str, node: ast.expr) -> ast.expr:
        local = self._local_names.setdefault(path, f"{LOCAL_PREFIX}{len(self._local_names)}")
        if path in self._kept:
            return emit.name(local)
        self._kept.add(path)
        return emit.named(local, node)

    def _part_by_part(self, node: ast.expr) -> ast.expr:
        # Python evaluates the parts of all other nodes in the order of their fields.
        parts = [self._field(getattr(node, name)) for name in node._fields]
        return type(node)(*parts, lineno=1, col_offset=0)

    def _field(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._field(each) for each in value]
        return self._visit(value) if isinstance(value, ast.expr) else value


_VISITS: Final[dict[type[ast.expr], Callable[[Merge, Any], ast.expr]]] = {
    ast.Attribute: Merge._attribute,  # noqa: SLF001 - its own, as are those below
    ast.BoolOp: Merge._logic,  # noqa: SLF001
    ast.Constant: Merge._constant,  # noqa: SLF001
    ast.Dict: Merge._mapping,  # noqa: SLF001
    ast.IfExp: Merge._choice,  # noqa: SLF001
    ast.Name: Merge._name,  # noqa: SLF001
}
