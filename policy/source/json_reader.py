"""Reads JSON (RFC 8259) into the same tree, with the same positions.

JSON is nearly YAML; a parser of its own takes what YAML does not, such as escaped surrogate pairs
and keys longer than 1,024 characters.
"""

from __future__ import annotations

import re
from typing import Final

from policy.source import messages
from policy.source.node import Scalar, ScalarValue, SourceText, Span, Style
from policy.source.offsets import ESCAPES
from policy.source.tree import TreeBuilder, Unreadable

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?(?![0-9A-Za-z_.+-])")
_WORD = re.compile(r"(?:true|false|null)\b")
_WORDS: Final[dict[str, ScalarValue]] = {"true": True, "false": False, "null": None}
_ESCAPE = re.compile(
    r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|\\(.)"
)
_LONGEST_NUMBER: Final = 64


def looks_like_json(text: str) -> bool:
    """Tell whether a text begins as a JSON object or array does."""
    start = _SPACE.match(text)
    return start is not None and text.startswith(("{", "["), start.end())


def read_json(source: SourceText) -> TreeBuilder:
    """Build the tree. Raises Unreadable where the text stops being JSON."""
    return _Reader(source).read()


class _Reader:
    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.text = source.text
        self.position = 0
        self.builder = TreeBuilder(source)
        self.closers: list[str] = []

    def read(self) -> TreeBuilder:
        self._skip_space()
        self._value()
        while self.closers:
            self._skip_space()
            if self._take(self.closers[-1]):
                self._close()
            elif self._take(","):
                self._entry()
            else:
                raise self._wrong(f"expected ',' or '{self.closers[-1]}'")
        self._skip_space()
        if self.position < len(self.text):
            raise self._wrong("text behind the end of the document")
        return self.builder

    def _entry(self) -> None:
        self._skip_space()
        if self.closers[-1] == "}":
            if not self.text.startswith('"', self.position):
                raise self._wrong("expected a key in double quotes")
            self._string()
            self._skip_space()
            if not self._take(":"):
                raise self._wrong("expected ':' behind the key")
            self._skip_space()
        self._value()

    def _value(self) -> None:
        character = self.text[self.position : self.position + 1]
        if character in {"{", "["}:
            self.builder.begin(self.position, is_mapping=character == "{")
            self.closers.append("}" if character == "{" else "]")
            self.position += 1
            self._skip_space()
            if self._take(self.closers[-1]):
                self._close()
            else:
                self._entry()
        elif character == '"':
            self._string()
        else:
            self._plain()

    def _close(self) -> None:
        self.closers.pop()
        self.builder.end(self.position)

    def _string(self) -> None:
        match = _STRING.match(self.text, self.position)
        if match is None:
            raise self._wrong("a string that is not closed, or holds a wrong escape")
        decoded = (
            _ESCAPE.sub(self._unescaped, match[0][1:-1]) if "\\" in match[0] else match[0][1:-1]
        )
        self._scalar(match.span(), decoded, decoded, Style.DOUBLE)

    def _unescaped(self, escape: re.Match[str]) -> str:
        if escape[1]:
            high, low = int(escape[1], 16), int(escape[2], 16)
            return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
        if escape[3]:
            code = int(escape[3], 16)
            if 0xD800 <= code <= 0xDFFF:
                start = self.position + 1 + escape.start()
                place = self.source.place(start, start + 6)
                reason = "half of a surrogate pair, which is no character"
                raise Unreadable(messages.json_syntax(place, reason), start + 6)
            return chr(code)
        return ESCAPES[escape[4]]

    def _plain(self) -> None:
        number = _NUMBER.match(self.text, self.position)
        if number and len(number[0]) <= _LONGEST_NUMBER:
            value = float(number[0]) if number[1] or number[2] else int(number[0])
            self._scalar(number.span(), value, number[0], Style.PLAIN)
            return
        word = _WORD.match(self.text, self.position)
        if word is None:
            raise self._wrong("expected a value")
        self._scalar(word.span(), _WORDS[word[0]], word[0], Style.PLAIN)

    def _scalar(self, span: tuple[int, int], value: ScalarValue, text: str, style: Style) -> None:
        self.builder.scalar(Scalar(self.source, Span(*span), value, text, style))
        self.position = span[1]

    def _skip_space(self) -> None:
        space = _SPACE.match(self.text, self.position)
        if space:
            self.position = space.end()

    def _take(self, character: str) -> bool:
        found = self.text.startswith(character, self.position)
        self.position += found
        return found

    def _wrong(self, reason: str) -> Unreadable:
        place = self.source.place(self.position)
        return Unreadable(messages.json_syntax(place, reason), self.position)
