"""The fields of heads that are mostly those of the head before.

Who sends messages one after the other repeats nearly all lines of their heads: a browser's
requests differ in an identifier, a server's responses in a date. Lines at the start and at the end
that came before, byte for byte, have been read and checked then. Only what is between them is read
again, and what comes out is what reading all of them would give.
"""

from __future__ import annotations

from policy.fields import Fields
from proxy.http1.grammar import SECRET, FieldLines, GrammarError, check_line, head_lines

# A longer head is read anew each time: it is not worth being kept for as long as its sender.
MAX_KEPT_BYTES = 8192
TOO_MANY_FIELDS = "too-many-fields"


class RecurringFields:
    """Reads the fields of heads that follow one another.

    Heads with a repeated or an unusual name are not kept in mind. As long as the names stay the
    same, in their order, lines that have differed once are expected to do so again.
    """

    __slots__ = (
        "_after", "_before", "_between", "_by_name", "_field_lines", "_has_one_sender",
        "_lines_after", "_lines_before", "_names", "_notable", "_starts",
    )  # fmt: skip

    def __init__(self, field_lines: FieldLines, *, has_one_sender: bool) -> None:
        """Read with lines that others remember too.

        Without `has_one_sender`, heads that hold credentials or cookies are not kept in mind.
        """
        self._field_lines = field_lines
        self._has_one_sender = has_one_sender
        # The lines that have been the same since their names came up, also as bytes.
        self._before = self._after = b""
        self._lines_before: list[str] = []
        self._lines_after: list[str] = []
        # The lines between them as they came last, behind an empty one for the CRLF before them;
        # how each begins, up to its colon, and its name in lower case. All empty without a head.
        self._between: list[str] = []
        self._starts: list[str] = []
        self._names: list[str] = []
        # All values as they came last.
        self._by_name: dict[str, list[str]] = {}
        self._notable: frozenset[str] = frozenset()

    def read(self, wire: bytes, max_fields: int) -> Fields:
        """Read lines, each behind its CRLF; raises GrammarError."""
        before, after = self._before, self._after
        start, end = len(before), len(wire) - len(after)
        if (
            start <= end
            and self._starts
            and len(wire) <= MAX_KEPT_BYTES
            and wire.startswith(before)
            and wire.endswith(after)
        ):
            fields = self._read_between(wire, head_lines(wire[start:end]))
            if fields is not None and len(fields) <= max_fields:
                return fields
        texts = head_lines(wire)
        del texts[0]  # what stands before the first CRLF: nothing
        if len(texts) > max_fields:
            raise GrammarError(TOO_MANY_FIELDS)
        fields = self._field_lines.read(texts, wire)
        self._keep(texts, fields, wire)
        return fields

    def _read_between(self, wire: bytes, lines: list[str]) -> Fields | None:
        """Read the lines that differ; None where they are not the expected ones.

        No CRLF can begin in one part of the head and end in another: its lines are those of its
        parts.
        """
        last, by_name = self._between, self._by_name
        if lines != last:
            if lines[0] or len(lines) != len(last):
                return None
            by_name = by_name.copy()
            for at, line in enumerate(lines):
                if line != last[at]:
                    start = self._starts[at]
                    if not line.startswith(start):
                        return None
                    check_line(line)
                    by_name[self._names[at]] = [line[len(start) :].strip(" \t")]
            self._by_name, self._between = by_name, lines
        texts = self._lines_before + lines[1:] + self._lines_after
        return Fields.received(texts, by_name, wire, has_plain_names=True, notable=self._notable)

    def _keep(self, texts: list[str], fields: Fields, wire: bytes) -> None:
        """Keep a head in mind that was read as a whole."""
        by_name = fields.by_name
        names = list(by_name)
        if (
            len(names) != len(texts)
            or len(wire) > MAX_KEPT_BYTES
            or not fields.has_plain_names
            or not (self._has_one_sender or SECRET.isdisjoint(names))
        ):
            self._between, self._starts, self._names = [], [], []
            return
        count, first, at_end = len(texts), len(texts), 0
        if self._starts and names == list(self._by_name):
            last = self._lines_before + self._between[1:] + self._lines_after
            first = _common(last, texts, len(self._lines_before))
            may_be_same = len(self._lines_after) if len(self._between) > 1 else count
            at_end = _common(last[::-1], texts[::-1], min(may_be_same, count - first))
        self._lines_before, self._lines_after = texts[:first], texts[count - at_end :]
        between = texts[first : count - at_end]
        self._between = ["", *between]
        # Each up to its colon, behind which the value begins. The names are plain: there is one.
        self._starts = ["", *[line.partition(":")[0] + ":" for line in between]]
        self._names = ["", *names[first : count - at_end]]
        self._before, self._after = _wire(self._lines_before), _wire(self._lines_after)
        self._by_name, self._notable = by_name, fields.notable


def _common(ours: list[str], theirs: list[str], at_most: int) -> int:
    """Count the lines at the start that are the same."""
    for at in range(at_most):
        if ours[at] != theirs[at]:
            return at
    return at_most


def _wire(lines: list[str]) -> bytes:
    """Return the bytes that `head_lines` has read."""
    text = "".join([f"\r\n{line}" for line in lines])
    return text.encode("utf-8", "surrogateescape")
