"""The lines and fields of a message head (RFC 9112, sections 2 to 5), for both directions.

A head is checked as a whole before anything in it is believed: which bytes may occur at all, then
each field line. What the grammar does not allow is refused, never repaired, because the next hop
may repair it in another way (T-SM-9).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TypeAlias

from policy.fields import Fields

# token = 1*tchar (RFC 9110, section 5.6.2)
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++")

# field-vchar = VCHAR / obs-text; besides these a line may hold SP and HTAB (RFC 9110, section
# 5.5). All others are controls. NUL, bare CR and bare LF are the ones that servers disagree about.
NOT_CONTROL = b"\t" + bytes(octet for octet in range(0x20, 0x100) if octet != 0x7F)

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LONG: Final = 128
_CONTROLS_AS_NUL: Final = bytes(octet if octet in NOT_CONTROL else 0 for octet in range(0x100))

# Content-Length = 1*DIGIT (RFC 9110, section 8.6). Stricter: no leading zero, which some read as
# octal, and nothing near the overflow of 64 bits.
LENGTH = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)

# Names whose disguised forms (T-SM-4) some servers fold into the real one.
_FRAMING = frozenset({"content-length", "transfer-encoding", "host", "connection", "trailer"})

# What one client sends goes into no memory that others share.
SECRET = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})
_MAX_REMEMBERED_LINES = 1024
_MAX_REMEMBERED_CHARACTERS = 256


class GrammarError(Exception):
    """Bytes that no message may have. `reason` is a stable kebab-case code."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def head_lines(head: bytes) -> list[str]:
    """Split a head, its closing empty line cut off, into lines.

    Text is UTF-8 with surrogate escapes, so that every byte from 0x80 survives. The first line is
    looked at with `check_line`, the others by `FieldLines`, which knows most of them already.
    """
    return head.decode("utf-8", "surrogateescape").split("\r\n")


def check_line(line: str) -> None:
    """Refuse controls: a bare CR, a bare LF, or what never belongs there; raises GrammarError."""
    if len(line) >= _LONG and line.isascii():
        # Faster by half on tokens and the like, where `isprintable` looks at every character.
        has_control = line.encode("ascii").translate(_CONTROLS_AS_NUL).find(b"\0") >= 0
    else:
        has_control = not line.isprintable() and _CONTROL.search(line) is not None
    if has_control:
        raise GrammarError("control-character-in-head")


# Name in lower case, and the value alone.
FieldLine: TypeAlias = tuple[str, list[str]]


class FieldLines(dict[str, FieldLine]):
    """Reads field lines, and remembers those that come again and again.

    Clients and servers repeat most of their lines with every message. The memory is bounded: it
    starts anew when it is full. It never holds credentials or cookies.
    """

    __slots__ = ("_names", "_odd")

    def __init__(self) -> None:
        # Lower-case names by their spellings; only names of letters, digits and hyphens.
        self._names: dict[str, str] = {}
        self._odd = False

    def __missing__(self, line: str) -> FieldLine:
        """Read a line that is not remembered; raises GrammarError."""
        # field-line = field-name ":" OWS field-value OWS (RFC 9112, section 5). Neither space
        # before the colon nor a folded line passes: both make a name that is no token.
        check_line(line)
        name, colon, value = line.partition(":")
        key = self._names.get(name)
        is_plain = key is not None
        if key is None:
            key = _field_name(name)
            is_plain = key.replace("-", "").isalnum()
        if not colon:
            raise GrammarError("field-line-without-colon")
        read = (key, [value.strip(" \t")])
        if not is_plain:
            # Not remembered, so that each message with such a name shows here.
            self._odd = True
        elif len(line) <= _MAX_REMEMBERED_CHARACTERS:
            if len(self) >= _MAX_REMEMBERED_LINES or len(self._names) >= _MAX_REMEMBERED_LINES:
                self.clear()
                self._names.clear()
            self._names[name] = key
            if key not in SECRET:
                self[line] = read
        return read

    def read(self, lines: list[str], wire: bytes | None = None) -> Fields:
        """Read the lines after the first; raises GrammarError.

        `wire` are the same lines as bytes, each behind its CRLF, where they may pass as such.
        """
        self._odd = False
        read = self.__getitem__
        by_name = dict(map(read, lines))
        if len(by_name) != len(lines):
            by_name = {}
            for key, values in map(read, lines):
                # The lists are shared with later messages, so they are never added to.
                by_name[key] = by_name[key] + values if key in by_name else values
        return Fields.received(lines, by_name, wire, has_plain_names=not self._odd)


def check_singletons(fields: Fields, names: Iterable[str]) -> None:
    """Refuse repeated lines of fields that may stand once; raises GrammarError."""
    by_name = fields.by_name
    if len(by_name) == len(fields):
        return
    for name in names:
        if len(by_name.get(name, ())) > 1:
            raise GrammarError(f"repeated-{name}")


def _field_name(name: str) -> str:
    """Check one field name and return it in lower case."""
    if TOKEN.fullmatch(name) is None:
        raise GrammarError("bad-field-name")
    key = name.lower()
    if ("_" in key or "." in key) and key.replace("_", "-").replace(".", "-") in _FRAMING:
        raise GrammarError("disguised-framing-field")
    return key


def list_tokens(values: list[str]) -> list[str]:
    """Return the members of comma-separated lists in lower case, empty ones dropped."""
    return [token for part in ",".join(values).split(",") if (token := part.strip(" \t").lower())]
