"""Header fields in order, looked up without regard to case (RFC 9110, section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


class Fields:
    """Field lines as received, in order. Names keep their spelling; look-ups ignore case.

    Values are text decoded as UTF-8 with surrogate escapes, so any byte survives a round trip.
    """

    __slots__ = ("_index", "_lines", "_plain", "as_received")

    def __init__(self, lines: Iterable[tuple[str, str]] = ()) -> None:
        self._lines = list(lines)
        self._index: dict[str, list[str]] | None = None
        self._plain: bool | None = None
        # True while these are exactly the lines of a message as it came in.
        self.as_received = False

    @classmethod
    def indexed(cls, lines: list[tuple[str, str]], by_name: dict[str, list[str]]) -> Fields:
        """Return fields over lines that whoever read them has already sorted by name."""
        fields = cls.__new__(cls)
        fields._lines = lines  # noqa: SLF001 - its own
        fields._index = by_name  # noqa: SLF001
        fields._plain = None  # noqa: SLF001
        fields.as_received = True
        return fields

    def twin(self) -> Fields:
        """Return an independent copy that still counts as received."""
        twin = Fields.indexed(self._lines.copy(), self.by_name)
        twin._plain = self._plain  # noqa: SLF001 - its own
        return twin

    @property
    def lines(self) -> list[tuple[str, str]]:
        """All (name, value) pairs in order. Not to be changed by the reader."""
        return self._lines

    @property
    def by_name(self) -> dict[str, list[str]]:
        """Values by lower-case name, built on first use. Not to be changed by the reader."""
        if self._index is None:
            index: dict[str, list[str]] = {}
            for name, value in self._lines:
                index.setdefault(name.lower(), []).append(value)
            self._index = index
        return self._index

    @property
    def has_plain_names(self) -> bool:
        """Tell whether all names are made of letters, digits and hyphens only."""
        if self._plain is None:
            # One test for all names: on nearly every message it answers for the whole of them.
            self._plain = "".join(self.by_name).replace("-", "").isalnum()
        return self._plain

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self.by_name

    def __repr__(self) -> str:
        # Values may be credentials: a representation ends up in logs, so it shows names only.
        return f"Fields({[name for name, _ in self._lines]})"

    def all(self, name: str) -> list[str]:
        """Return every value under a name, in order; empty when absent."""
        return self.by_name.get(name.lower(), [])

    def first(self, name: str) -> str | None:
        """Return the first value under a name, None when absent."""
        values = self.by_name.get(name.lower())
        return values[0] if values else None

    def add(self, name: str, value: str) -> None:
        """Append a line; what is there stays."""
        self._lines.append((name, value))
        if self._index is not None:
            key = name.lower()
            # A new list: the one that is there may have been handed out.
            self._index = {**self._index, key: [*self._index.get(key, ()), value]}
        self._plain = None
        self.as_received = False

    def remove(self, name: str) -> bool:
        """Drop every line under a name and tell whether there was one."""
        wanted = name.lower()
        if wanted not in self.by_name:
            return False
        self._lines = [line for line in self._lines if line[0].lower() != wanted]
        self._index = {name: values for name, values in self.by_name.items() if name != wanted}
        self._plain = None
        self.as_received = False
        return True

    def replace(self, name: str, value: str) -> None:
        """Leave exactly one line under a name, at the place of its first one."""
        wanted = name.lower()
        kept: list[tuple[str, str]] = []
        placed = False
        for line in self._lines:
            if line[0].lower() != wanted:
                kept.append(line)
            elif not placed:
                kept.append((line[0], value))
                placed = True
        if not placed:
            kept.append((name, value))
        self._lines = kept
        self._index = self._plain = None
        self.as_received = False

    def edit(self, name: str, values: Sequence[str]) -> None:
        """Give the lines under a name other values, one each; a line with an empty one goes."""
        wanted, left = name.lower(), iter(values)
        lines: list[tuple[str, str]] = []
        for line in self._lines:
            if line[0].lower() != wanted:
                lines.append(line)
            elif value := next(left):
                lines.append((line[0], value))
        index = {key: all_ for key, all_ in self.by_name.items() if key != wanted}
        if kept := [value for value in values if value]:
            index[wanted] = kept
        self._lines, self._index = lines, index
        if not self._plain:
            self._plain = None
        self.as_received = False

    def copy(self) -> Fields:
        """Return an independent copy."""
        return Fields(self._lines)
