"""The tree of a document: scalars, sequences and mappings, each knowing where it stands."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple, TypeAlias

from policy.problem import Place
from policy.source.concealment import concealed, masked
from policy.source.offsets import decoded_spans

ScalarValue: TypeAlias = str | int | float | bool | None


class Span(NamedTuple):
    """A stretch of the source text: offsets in code points, `end` exclusive."""

    start: int
    end: int


class Style(StrEnum):
    """How a scalar is written."""

    PLAIN = "plain"
    SINGLE = "single-quoted"
    DOUBLE = "double-quoted"
    LITERAL = "literal block"
    FOLDED = "folded block"


@dataclass(frozen=True)
class SourceText:
    """The text of one file, or of a document that stands as a string inside another (`outer`).

    A byte-order mark is not part of the text.
    """

    name: str
    text: str
    outer: Scalar | None = None
    _hidden: list[Span] = field(default_factory=list, repr=False, compare=False)

    @cached_property
    def _line_starts(self) -> list[int]:
        starts, position = [0], 0
        for line in self.text.replace("\r\n", "\n\n").replace("\r", "\n").split("\n"):
            position += len(line) + 1
            starts.append(position)
        # The line feed of a CR LF pair begins no line of its own.
        return [at for at in starts[:-1] if self.text[at - 1 : at + 1] != "\r\n"]

    def place(self, start: int, end: int | None = None) -> Place:
        """Return the place of a stretch; what lies on further lines is left out."""
        end = start + 1 if end is None else end
        if self.outer is not None:
            return self.outer.place(start, end)
        start = min(start, len(self.text))
        line = bisect_right(self._line_starts, start) - 1
        first = self._line_starts[line]
        following = self._line_starts[line + 1 : line + 2]
        source_line = self.text[first : following[0] if following else None].rstrip("\r\n")
        column = start - first
        end_column = min(max(end - first, column), max(len(source_line), column))
        return Place(
            file=self.name,
            line=line + 1,
            column=column + 1,
            end_column=end_column + 1,
            source_line=self._shown(source_line, first),
        )

    def hide(self, start: int, end: int) -> None:
        """Show no more of a stretch than its length, in every place from now on."""
        if self.outer is None:
            self._hidden.append(Span(start, end))
        else:
            self.outer.hide(start, end)

    def hides(self, start: int, end: int) -> bool:
        """Tell whether any of a stretch is hidden."""
        if self.outer is not None:
            return self.outer.hides(start, end)
        return any(start < stop and begin < end for begin, stop in self._hidden)

    def concealed_place(self, place: Place) -> Place:
        """Return a place that was asked for before everything secret was hidden, without that."""
        if self.outer is not None:
            return self.outer.source.concealed_place(place)
        if place.file != self.name or not place.source_line:
            return place
        shown = self._shown(place.source_line, self._line_starts[place.line - 1])
        return replace(place, source_line=shown)

    def _shown(self, line: str, first: int) -> str:
        shown = concealed(line)
        for start, end in self._hidden:
            begin, stop = max(start - first, 0), min(end - first, len(line))
            if begin < stop:
                secret = masked(self.text[start:end])[begin + first - start : stop + first - start]
                shown = shown[:begin] + secret + shown[stop:]
        return shown


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. `text` is what the document says, `value` how YAML 1.2 reads it."""

    source: SourceText
    span: Span
    value: ScalarValue
    text: str
    style: Style

    def place(self, start: int = 0, end: int | None = None) -> Place:
        """Return the place of a stretch of `text`, by its offsets there; by default of it all."""
        if end is None and start == 0 and self.style not in {Style.LITERAL, Style.FOLDED}:
            return self.source.place(*self.span)
        spans = self._spans()
        if not spans:
            return self.source.place(*self.span)
        end = len(spans) if end is None else min(end, len(spans))
        if start >= len(spans):
            last = spans[-1][1]
            return self.source.place(last, last)
        first, final = spans[start], spans[max(end - 1, start)]
        return self.source.place(first[0], final[1] if end > start else first[0])

    def hide(self, start: int = 0, end: int | None = None) -> None:
        """Show no more of a stretch of `text` than its length; by default of it all."""
        spans = self._spans()
        if start == 0 and end is None:
            self.source.hide(*self.span)
        elif spans[start:end]:
            self.source.hide(spans[start][0], spans[start:end][-1][1])

    def hides(self, start: int, end: int) -> bool:
        """Tell whether any of a stretch of `text` is hidden."""
        spans = self._spans()[start:end]
        return bool(spans) and self.source.hides(spans[0][0], spans[-1][1])

    @property
    def is_secret(self) -> bool:
        """Tell whether any of it is hidden: then no message may say what it is."""
        return self.source.hides(*self.span)

    def _spans(self) -> list[tuple[int, int]]:
        """Return where each character of `text` comes from."""
        written = self.source.text[self.span.start : self.span.end]
        spans = decoded_spans(written, self.style.value, self.text)
        if spans is None:
            return [self.span] * len(self.text)
        base = self.span.start
        return [(base + start, base + end) for start, end in spans]


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of nodes."""

    source: SourceText
    span: Span
    items: tuple[Node, ...]

    def place(self) -> Place:
        """Return the place of its first line."""
        return self.source.place(*self.span)


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and their nodes, in document order; no key occurs twice."""

    source: SourceText
    span: Span
    entries: tuple[tuple[Scalar, Node], ...]

    def place(self) -> Place:
        """Return the place of its first line."""
        return self.source.place(*self.span)

    def get(self, key: str) -> Node | None:
        """Return the node under a key, None when the key is absent."""
        return next((node for name, node in self.entries if name.text == key), None)

    def key(self, key: str) -> Scalar | None:
        """Return the key itself, for its place."""
        return next((name for name, _ in self.entries if name.text == key), None)


Node: TypeAlias = Scalar | Sequence | Mapping


def is_null(node: Node | None) -> bool:
    """Tell whether there is no value: the node is absent or reads as null."""
    return node is None or (isinstance(node, Scalar) and node.value is None)
