"""`format` and `strings.quote`."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from policy.cel.functions.define import function, method, plain
from policy.cel.functions.encodings import utf8
from policy.cel.text import double_text, value_text
from policy.cel.types import DYN, STRING, ListType
from policy.cel.values import CelError, Uint, no_overload
from policy.cel.work import Work

_VERB: Final = re.compile(r"%(?:(%)|(?:\.([0-9]{1,3}))?([sdfebxXo])|(.?))", re.DOTALL)
_MAX_PRECISION: Final = 100
_QUOTED: Final = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
    "\\": "\\\\", '"': '\\"',
}  # fmt: skip
_QUOTED_CLASS: Final = re.compile('[\a\b\f\n\r\t\v\\\\"\ud800-\udfff]')


def format_text(work: Work, template: str, values: list[Any]) -> str:
    """Put values in the places of `%s %d %f %e %b %x %X %o`; `%%` is one percent sign."""
    pieces: list[str] = []
    position = used = size = 0
    for match in _VERB.finditer(template):
        literal = template[position : match.start()]
        position = match.end()
        piece = "%"
        if not match[1]:
            if match[4] is not None:
                raise CelError("bad-format", "format() knows %s %d %f %e %b %x %X %o only")
            if used >= len(values):
                raise CelError("bad-format", "format() got fewer values than its text asks for")
            piece = _formatted(work, match[3], match[2], values[used])
            used += 1
        size += len(literal) + len(piece)
        work.grow(size)
        pieces += (literal, piece)
    pieces.append(template[position:])
    return "".join(pieces)


def _formatted(work: Work, verb: str, precision: str | None, value: Any) -> str:
    kind = type(value)
    if verb == "s":
        return value_text(work, value)
    if verb in "fe":
        return _decimal(value, verb, 6 if precision is None else int(precision))
    if verb == "d":
        if kind is float and not math.isfinite(value):
            return double_text(value)
        if kind is int or kind is Uint:
            return str(int(value))
    elif verb == "b" and kind in (int, Uint, bool):
        return format(int(value), "b")
    elif verb == "o" and kind in (int, Uint):
        return format(int(value), "o")
    elif verb in "xX":
        return _hexadecimal(value, verb)
    raise no_overload(f"%{verb} of format()")


def _decimal(value: Any, verb: str, precision: int) -> str:
    if type(value) not in (float, int, Uint) or precision > _MAX_PRECISION:
        raise no_overload(f"%{verb} of format()")
    number = float(value)
    return format(number, f".{precision}{verb}") if math.isfinite(number) else double_text(number)


def _hexadecimal(value: Any, verb: str) -> str:
    kind = type(value)
    if kind is int or kind is Uint:
        return format(int(value), verb)
    if kind is str:
        value = utf8(value)
    elif kind is not bytes:
        raise no_overload(f"%{verb} of format()")
    text: str = value.hex()
    return text.upper() if verb == "X" else text


def quote(work: Work, text: str) -> str:
    """Write a text in double quotes with its escapes visible; what is no UTF-8 is U+FFFD."""
    work.spend(1 + (len(text) >> 2))
    if not _QUOTED_CLASS.search(text):
        return f'"{text}"'
    work.spend(7 * len(text))
    return f'"{_QUOTED_CLASS.sub(_escaped, text)}"'


def _escaped(match: re.Match[str]) -> str:
    return _QUOTED.get(match[0], "\ufffd")


FORMAT_FUNCTIONS: Final = (
    function(
        "format",
        "The text with values in the places of its %-verbs.",
        method((STRING, ListType(DYN)), STRING, format_text, counts_work=True, cost=512),
    ),
    function(
        "strings.quote",
        "The text in double quotes, with its escapes visible.",
        plain((STRING,), STRING, quote, raises=False, counts_work=True),
    ),
)
