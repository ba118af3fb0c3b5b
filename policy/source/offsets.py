"""From a character of a decoded scalar back to the characters of the file that produced it.

This is libyaml's scanner for scalars once more, keeping track of positions instead of checking.
The result is compared with libyaml's own: where they differ, there is no answer rather than a
wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_BLANKS_AND_BREAKS = re.compile("[ \t\r\n\x85\u2028\u2029]+")
_SURROGATE_PAIR = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_ESCAPE_LENGTHS: Final = {"x": 4, "u": 6, "U": 10}
ESCAPES: Final = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f",
    "r": "\r", "e": "\x1b", " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0",
    "L": "\u2028", "P": "\u2029",
}  # fmt: skip


class Decoded(NamedTuple):
    """One decoded character and the offsets of what was written for it."""

    character: str
    start: int
    end: int


def decoded_spans(written: str, style: str, text: str) -> list[tuple[int, int]] | None:
    """Return (start, end) in `written` for each character of `text`, None if we can't tell."""
    for pieces in _readings(written, style):
        if "".join(piece.character for piece in pieces) == text:
            return [(piece.start, piece.end) for piece in pieces]
    return None


def _readings(written: str, style: str) -> Iterator[list[Decoded]]:
    match style:
        case "plain":
            yield list(_flow(written, 0, len(written), _next_plain))
        case "single-quoted":
            yield list(_flow(written, 1, len(written) - 1, _next_single_quoted))
        case "double-quoted":
            yield list(_flow(written, 1, len(written) - 1, _next_double_quoted))
            yield list(_json_string(written))
        case _:
            yield from _block_readings(written)


# --- plain and quoted scalars ------------------------------------------------------------------


def _flow(
    written: str, start: int, end: int, next_character: Callable[[str, int], Decoded | None]
) -> Iterator[Decoded]:
    position = start
    while position < end:
        blank = _BLANKS_AND_BREAKS.match(written, position, end)
        if blank:
            yield from _folded_blanks(written, *blank.span())
            position = blank.end()
            continue
        piece = next_character(written, position)
        if piece is None:  # an escaped line break: it goes, with the indentation behind it
            line = _BREAK.match(written, position + 1)
            blank = _BLANKS_AND_BREAKS.match(written, line.end(), end) if line else None
            position = line.end() if line else position + 1
            if blank:
                yield from _breaks(written, *blank.span())
                position = blank.end()
            continue
        yield piece
        position = piece.end


def _json_string(written: str) -> Iterator[Decoded]:
    """JSON knows no folding: characters that YAML takes for line breaks are text there."""
    position = 1
    while position < len(written) - 1:
        piece = _next_double_quoted(written, position)
        if piece is None:
            return
        yield piece
        position = piece.end


def _folded_blanks(written: str, start: int, end: int) -> Iterator[Decoded]:
    """Blanks on one line stay; around line breaks they go, and one break becomes a space."""
    first = _BREAK.search(written, start, end)
    if first is None:
        for at in range(start, end):
            yield Decoded(written[at], at, at + 1)
        return
    following = list(_breaks(written, first.end(), end))
    if _normal(first[0]) != "\n":
        yield Decoded(first[0], *first.span())
    elif not following:
        yield Decoded(" ", *first.span())
    yield from following


def _breaks(written: str, start: int, end: int) -> Iterator[Decoded]:
    for line_break in _BREAK.finditer(written, start, end):
        yield Decoded(_normal(line_break[0]), *line_break.span())


def _normal(line_break: str) -> str:
    return line_break if line_break in "\u2028\u2029" else "\n"


def _next_plain(written: str, position: int) -> Decoded:
    return Decoded(written[position], position, position + 1)


def _next_single_quoted(written: str, position: int) -> Decoded:
    width = 2 if written.startswith("''", position) else 1
    return Decoded(written[position], position, position + width)


def _next_double_quoted(written: str, position: int) -> Decoded | None:
    if written[position] != "\\":
        return Decoded(written[position], position, position + 1)
    kind = written[position + 1]
    if kind in _ESCAPE_LENGTHS:
        return _number_escape(written, position, _ESCAPE_LENGTHS[kind])
    if kind in ESCAPES:
        return Decoded(ESCAPES[kind], position, position + 2)
    return None


def _number_escape(written: str, position: int, length: int) -> Decoded:
    pair = _SURROGATE_PAIR.match(written, position)
    if pair:  # only JSON writes characters so
        high, low = int(pair[1], 16), int(pair[2], 16)
        joined = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
        return Decoded(chr(joined), *pair.span())
    code = int(written[position + 2 : position + length], 16)
    return Decoded(chr(code), position, position + length)


# --- block scalars -----------------------------------------------------------------------------


class _Line(NamedTuple):
    """One line below the header: its start, end, and the end of its line break."""

    start: int
    end: int
    break_end: int


def _block_readings(written: str) -> Iterator[list[Decoded]]:
    """Read with every indentation that is possible, deepest first.

    The indentation depends on the surrounding document; only one reading gives the right text.
    """
    lines = list(_lines(written))
    header = written[: lines[0].end].split("#", maxsplit=1)[0] if lines else ""
    body = lines[1:]
    filled = [line for line in body if written[line.start : line.end].strip(" ")]
    widest = max((line.end - line.start for line in body), default=0)
    deepest = min((_indent_of(written, line) for line in filled), default=widest)
    for indent in (*range(deepest, -1, -1), widest):
        yield list(_block(written, body, indent, header))


def _lines(written: str) -> Iterator[_Line]:
    start = 0
    for line_break in _BREAK.finditer(written):
        yield _Line(start, *line_break.span())
        start = line_break.end()
    if start < len(written):
        yield _Line(start, len(written), len(written))


def _indent_of(written: str, line: _Line) -> int:
    content = written[line.start : line.end]
    return len(content) - len(content.lstrip(" "))


def _block(written: str, body: list[_Line], indent: int, header: str) -> Iterator[Decoded]:
    folds = header.startswith(">")
    leading: list[Decoded] = []  # the break behind the last line with content
    trailing: list[Decoded] = []  # the breaks of the empty lines behind that
    leading_blank = False
    for line in body:
        content = line.start + indent
        line_break = list(_breaks(written, line.end, line.break_end))
        if line.end <= content and not written[line.start : line.end].strip(" "):
            trailing += line_break
            continue
        if _indent_of(written, line) < indent:
            break
        blank = written[content] in " \t"
        if folds and not blank and not leading_blank:
            leading = _as_space(leading, trailing)
        yield from leading
        yield from trailing
        for at in range(content, line.end):
            yield Decoded(written[at], at, at + 1)
        leading, trailing, leading_blank = line_break, [], blank
    if "-" not in header:
        yield from leading
    if "+" in header:
        yield from trailing


def _as_space(leading: list[Decoded], trailing: list[Decoded]) -> list[Decoded]:
    if not leading or leading[0].character != "\n":
        return leading
    return [] if trailing else [leading[0]._replace(character=" ")]
