"""Header fields in order, looked up without regard to case (RFC 9110, section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

Line = tuple[str, str]
# A line that is added, lines under a name that go (None), the only line under a name that has
# another value now.
Edit: TypeAlias = tuple[str, str | list[str] | None]

# Names that say something about a message's framing or its connection, or that only some party
# on the way may write. Where a message has none of them, nothing needs a closer look.
NOTABLE = frozenset(
    {
        "authorization", "cdn-loop", "connection", "content-length", "expect", "http2-settings",
        "keep-alive", "location", "ngrok-error-code", "proxy", "proxy-authenticate",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
        "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
    }
)  # fmt: skip


class NewLine:
    """A line that is added to messages: what there is to say of it is found out once.

    `pair` is its name and value, `key` the lower-case name. `wire` is None for what may be more
    than one line as bytes.
    """

    __slots__ = ("is_notable", "is_plain", "key", "pair", "wire")

    def __init__(self, name: str, value: str) -> None:
        self.pair: Line = (name, value)
        self.key = name.lower()
        encoded = encoded_plainly(f"{name}: {value}")
        self.wire = None if encoded is None else b"\r\n" + encoded
        self.is_notable = self.key in NOTABLE
        self.is_plain = self.key.replace("-", "").isalnum()


class FieldName:
    """A name whose lines are taken out of messages.

    `key` is it in lower case, `starts` are how lines under it usually begin.
    """

    __slots__ = ("is_notable", "key", "starts")

    def __init__(self, name: str) -> None:
        self.key = name.lower()
        self.is_notable = self.key in NOTABLE
        spellings = (self.key.title(), self.key) if self.key.isascii() else ()
        self.starts: tuple[bytes, ...] = tuple(
            [b"\r\n%b:" % spelling.encode("ascii") for spelling in spellings]
        )


class Fields:
    """Field lines as received, in order. Names keep their spelling; look-ups ignore case.

    Values are text decoded as UTF-8 with surrogate escapes, so any byte survives a round trip.

    `wire` are the lines as bytes, each behind its CRLF, for as long as they are what was received,
    apart from whole lines that went or were added. It is None where they must be spelled anew,
    and then a value may hold anything.
    """

    __slots__ = ("_edits", "_index", "_lines", "_notable", "_plain", "_texts", "_unindexed", "wire")

    def __init__(
        self,
        lines: Iterable[Line] | None = (),
        texts: Sequence[str] = (),
        index: dict[str, list[str]] | None = None,
        wire: bytes | None = None,
        plain: bool | None = None,  # noqa: FBT001 - for `received`, of which there are many
    ) -> None:
        """Take lines; what else there is to say of those that were received says `received`."""
        # Most messages pass without anybody looking at their lines one by one.
        self._lines: list[Line] | None = None if lines is None else list(lines)
        self._texts = texts
        self._edits: list[Edit] = []
        self._index = index
        # Lines that were added since the index was made; it is brought up to date when read.
        self._unindexed: list[Line] = []
        self._notable: frozenset[str] | None = None
        self._plain = plain
        self.wire = wire

    @staticmethod
    def received(
        texts: list[str],
        by_name: dict[str, list[str]],
        wire: bytes | None,
        *,
        has_plain_names: bool,
        notable: frozenset[str] | None = None,
    ) -> Fields:
        """Return the fields of a message that has just been read.

        `texts` are its lines, `by_name` their values by lower-case name. Neither is changed here,
        so that whoever has read them may read the same again for another message. `notable` are
        those of the names that are NOTABLE, where that is known.
        """
        fields = Fields(None, texts, by_name, wire, has_plain_names)
        fields._notable = notable
        return fields

    @property
    def texts(self) -> Sequence[str]:
        """The lines of a message as they were received, each as one text."""
        return self._texts

    @property
    def lines(self) -> list[Line]:
        """All (name, value) pairs in order. Not to be changed by the reader."""
        if self._lines is None:
            self._lines = self._spelled_out()
        return self._lines

    @property
    def by_name(self) -> dict[str, list[str]]:
        """Values by lower-case name, built on first use. Not to be changed by the reader."""
        index = self._index
        if index is None:
            index = {}
            for name, value in self.lines:
                index.setdefault(name.lower(), []).append(value)
            self._index = index
        elif self._unindexed:
            # A new one, with new lists: those that are there may have been handed out.
            index = self._index = index.copy()
            for name, value in self._unindexed:
                key = name.lower()
                index[key] = [*index[key], value] if key in index else [value]
            self._unindexed = []
        return index

    @property
    def notable(self) -> frozenset[str]:
        """Those of the names that are NOTABLE, in lower case."""
        if self._notable is None:
            self._notable = NOTABLE.intersection(self.by_name)
        return self._notable

    @property
    def has_plain_names(self) -> bool:
        """Tell whether all names are made of letters, digits and hyphens only."""
        if self._plain is None:
            # One test for all names: on nearly every message it answers for the whole of them.
            self._plain = "".join(self.by_name).replace("-", "").isalnum()
        return self._plain

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)

    def __len__(self) -> int:
        if self._lines is None and not self._edits:
            return len(self._texts)
        return len(self.lines)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self.by_name

    def __repr__(self) -> str:
        # Values may be credentials: a representation ends up in logs, so it shows names only.
        return f"Fields({[name for name, _ in self.lines]})"

    def all(self, name: str) -> list[str]:
        """Return every value under a name, in order; empty when absent."""
        return self.by_name.get(name.lower(), [])

    def first(self, name: str) -> str | None:
        """Return the first value under a name, None when absent."""
        values = self.by_name.get(name.lower())
        return values[0] if values else None

    def add(self, name: str, value: str) -> None:
        """Append a line; what is there stays."""
        self.add_line(NewLine(name, value))

    def add_line(self, line: NewLine) -> None:
        """Append a line that is known from before."""
        if self.wire is not None:
            # Only what can't be more than one line; the others are looked at when they are spelled.
            self.wire = None if line.wire is None else self.wire + line.wire
        if self._index is not None:
            self._unindexed.append(line.pair)
        if self._lines is None:
            self._edits.append(line.pair)
        else:
            self._lines.append(line.pair)
        if line.is_notable:
            self._notable = None
        if not line.is_plain and self._plain:
            self._plain = False

    def remove(self, name: str) -> bool:
        """Drop every line under a name and tell whether there was one."""
        return bool(self.remove_all((_known(name),)))

    def remove_all(self, names: tuple[FieldName, ...]) -> list[str]:
        """Drop every line under some names; return in lower case which of them were there."""
        index = self.by_name
        removed: list[str] = []
        for name in names:
            values = index.get(name.key)
            if values is not None:
                if not removed:
                    # The one that is there may be that of other messages, too.
                    index = self._index = index.copy()
                removed.append(name.key)
                del index[name.key]
                self._remove(name, len(values))
        return removed

    def _remove(self, name: FieldName, count: int) -> None:
        if self.wire is not None:
            self.wire = _cut(self.wire, name, count)
        if self._lines is None:
            self._edits.append((name.key, None))
        else:
            self._lines = _without(self._lines, name.key)
        if name.is_notable:
            self._notable = None
        if not self._plain:
            self._plain = None

    def edit(self, name: str, value: str, encoded: bytes | None) -> None:
        """Give the only line under a lower-case name another value, at its place.

        `encoded` is what `encoded_plainly` makes of the value.
        """
        values = [value]
        index = self._index = self.by_name.copy()
        index[name] = values
        if self.wire is not None:
            self.wire = None if encoded is None else _edited(self.wire, name, encoded)
        if self._lines is None:
            self._edits.append((name, values))
        else:
            self._lines = _with_value(self._lines, name, value)

    def replace(self, name: str, value: str) -> None:
        """Leave exactly one line under a name, at the place of its first one."""
        wanted = name.lower()
        kept: list[Line] = []
        placed = False
        for line in self.lines:
            if line[0].lower() != wanted:
                kept.append(line)
            elif not placed:
                kept.append((line[0], value))
                placed = True
        if not placed:
            kept.append((name, value))
        self._lines, self._unindexed = kept, []
        self._index = self._plain = self._notable = self.wire = None

    def wire_without(self, names: Iterable[str]) -> bytes | None:
        """Return `wire` without the lines under some lower-case names."""
        wire = self.wire
        for name in names:
            if wire is None:
                break
            wire = _cut(wire, _known(name), len(self.by_name.get(name, ())))
        return wire

    def copy(self) -> Fields:
        """Return an independent copy."""
        return Fields(self.lines)

    def _spelled_out(self) -> list[Line]:
        lines = [_line(text) for text in self._texts]
        for name, value in self._edits:
            if value is None:
                lines = _without(lines, name)
            elif isinstance(value, str):
                lines.append((name, value))
            else:
                lines = _with_value(lines, name, value[0])
        return lines


def encoded_plainly(text: str) -> bytes | None:
    """Return the bytes of what can't be more than one line; None for all else."""
    return text.encode("ascii") if text.isascii() and text.isprintable() else None


def _line(text: str) -> Line:
    name, _, value = text.partition(":")
    return name, value.strip(" \t")


def _without(lines: list[Line], name: str) -> list[Line]:
    return [line for line in lines if line[0].lower() != name]


def _with_value(lines: list[Line], name: str, value: str) -> list[Line]:
    return [(line[0], value) if line[0].lower() == name else line for line in lines]


def _edited(wire: bytes, name: str, value: bytes) -> bytes | None:
    """Give the only line under a lower-case name another value; None where that is not sure."""
    for start in _known(name).starts:
        at = wire.find(start)
        if at >= 0:
            at += len(start)
            end = wire.find(b"\r", at)
            rest = wire[end:] if end >= 0 else b""
            return b"".join((wire[:at], b" ", value, rest))
    return None


def _cut(wire: bytes, name: FieldName, count: int) -> bytes | None:
    """Take the lines under a name out; None when its spellings are not the usual ones.

    A CRLF in a head that was read is always the end of a line, and no space comes before a colon.
    """
    for start in name.starts:
        while count:
            at = wire.find(start)
            if at < 0:
                break
            end = wire.find(b"\r\n", at + 2)
            wire = wire[:at] + wire[end:] if end >= 0 else wire[:at]
            count -= 1
    return None if count else wire


# Nearly all names are written in a policy, or here.
_known = lru_cache(maxsize=256)(FieldName)
