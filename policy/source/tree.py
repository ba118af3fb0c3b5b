"""Builds the tree of a document from what a YAML or JSON parser reports, without recursion.

Here stand the checks that both formats share: duplicate keys, nesting, and the number of nodes
that aliases may stand for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from policy.problem import Problem
from policy.source import messages
from policy.source.node import Mapping, Node, Scalar, Sequence, SourceText, Span

NESTING_LIMIT: Final = 100
# How many nodes all aliases of a document may stand for, whatever is nested in them.
ALIASED_NODES_LIMIT: Final = 100_000


class Unreadable(Exception):  # noqa: N818  # it ends the reading; the problem is in it
    """The document can't be read any further; `offset` tells how far the reader came."""

    def __init__(self, problem: Problem, offset: int = 0) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.offset = offset


@dataclass(slots=True)
class _Open:
    """A sequence or mapping whose end has not come yet."""

    start: int
    is_mapping: bool
    anchor: str | None
    children: list[Node] = field(default_factory=list)
    size: int = 1
    depth: int = 1


@dataclass(frozen=True, slots=True)
class _Anchored:
    node: Node
    size: int
    depth: int


class TreeBuilder:
    """Takes a document's parts in order; afterwards holds its root and what was wrong."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._aliased_nodes = 0

    def begin(self, start: int, *, is_mapping: bool, anchor: str | None = None) -> None:
        """Open a sequence or mapping."""
        if len(self._open) >= NESTING_LIMIT:
            raise Unreadable(messages.too_deep(self.source.place(start), NESTING_LIMIT), start)
        if anchor is not None:
            self._anchors[anchor] = None
        self._open.append(_Open(start, is_mapping, anchor))

    def end(self, end: int) -> None:
        """Close the innermost sequence or mapping."""
        closed = self._open.pop()
        span = Span(closed.start, end)
        node: Node
        if closed.is_mapping:
            node = Mapping(self.source, span, self._entries(closed.children))
        else:
            node = Sequence(self.source, span, tuple(closed.children))
        if closed.anchor is not None:
            self._anchors[closed.anchor] = _Anchored(node, closed.size, closed.depth)
        self._add(node, closed.size, closed.depth)

    def scalar(self, scalar: Scalar, anchor: str | None = None) -> None:
        """Take a scalar."""
        if anchor is not None:
            self._anchors[anchor] = _Anchored(scalar, 1, 0)
        self._add(scalar, 1, 0)

    def alias(self, name: str, span: Span) -> None:
        """Take a reference to an anchored node."""
        place = self.source.place(*span)
        anchored = self._anchors.get(name)
        if anchored is None:
            raise Unreadable(messages.bad_alias(place, name, inside=name in self._anchors))
        self._aliased_nodes += anchored.size
        if self._aliased_nodes > ALIASED_NODES_LIMIT:
            raise Unreadable(messages.alias_bomb(place, ALIASED_NODES_LIMIT), span.start)
        if len(self._open) + anchored.depth > NESTING_LIMIT:
            raise Unreadable(messages.too_deep(place, NESTING_LIMIT), span.start)
        self._add(anchored.node, anchored.size, anchored.depth)

    def _add(self, node: Node, size: int, depth: int) -> None:
        if not self._open:
            self.root = node
            return
        around = self._open[-1]
        around.children.append(node)
        around.size += size
        around.depth = max(around.depth, depth + 1)

    def _entries(self, children: list[Node]) -> tuple[tuple[Scalar, Node], ...]:
        entries: dict[str, tuple[Scalar, Node]] = {}
        for key, value in zip(children[::2], children[1::2], strict=True):
            if not isinstance(key, Scalar):
                self.problems.append(messages.bad_key(key))
            elif messages.is_merge_key(key):
                self.problems.append(messages.merge_key(key))
            elif key.text in entries:
                self.problems.append(messages.duplicate_key(key, entries[key.text][0]))
            else:
                entries[key.text] = (key, value)
        return tuple(entries.values())
