"""Tests, searches and cuts of strings. Positions and sizes count code points."""

from __future__ import annotations

import ast
import re
import sys
from typing import Final

from policy.cel import emit
from policy.cel.declarations import Doubt, Inline
from policy.cel.functions.define import function, method
from policy.cel.types import BOOL, INT, STRING, ListType
from policy.cel.values import CelError
from policy.cel.work import Work, weight_of

# Unicode's White_Space. Python's own strip() would take the separators 0x1c to 0x1f too.
_SPACES: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
# Letters whose upper case Python writes as several stand in these ranges; the simple mapping
# pairs them with their title-case letter, or keeps them.
_UPPER_SPECIAL: Final = {
    code: chr(code).title() if len(chr(code).title()) == 1 else chr(code)
    for codes in (
        (0xDF, 0x149, 0x1F0, 0x390, 0x3B0, 0x587),
        range(0x1E96, 0x1E9B),
        range(0x1F50, 0x2000),
        range(0xFB00, 0xFB18),
    )
    for code in codes
    if len(chr(code).upper()) > 1
}
_UPPER_SPECIAL_CLASS: Final = re.compile(f"[{''.join(map(chr, _UPPER_SPECIAL))}]")
_ASCII_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_ASCII_UPPER: Final = {code + 32: code for code in range(ord("A"), ord("Z") + 1)}


def _python_method(name: str) -> Inline:
    return lambda arguments: emit.method(arguments[0], name, *arguments[1:])


def _begins_with(arguments: list[ast.expr]) -> ast.expr:
    text, part = arguments
    after = _behind_all(part.value) if isinstance(part, ast.Constant) else None
    if after is None:
        return emit.method(text, "startswith", part)
    # To compare twice takes a third of the time of the method's call.
    return emit.between(part, text, emit.constant(after))


def _behind_all(beginning: object) -> str | None:
    """Return the first string behind all that begin so, None where there is none.

    In the order of strings those that begin alike stand together.
    """
    if not isinstance(beginning, str) or not beginning or ord(beginning[-1]) == sys.maxunicode:
        return None
    return beginning[:-1] + chr(ord(beginning[-1]) + 1)


def _part_in_text(arguments: list[ast.expr]) -> ast.expr:
    return emit.compare(arguments[1], "in", arguments[0])


def contains(text: str, part: str) -> bool:
    """Tell whether a string has another inside."""
    return part in text


def any_contains(work: Work, texts: list[str], part: str) -> bool:
    """Tell whether some string of a list has another inside."""
    work.spend(weight_of(texts))
    return any(isinstance(text, str) and part in text for text in texts)


def char_at(text: str, position: int) -> str:
    """Return the character at a position; '' right behind the last."""
    if position == len(text):
        return ""
    if 0 <= position < len(text):
        return text[position]
    raise out_of_bounds()


def index_of(text: str, part: str, start: int = 0) -> int:
    """Return the first position of a part at or after `start`, -1 when absent."""
    if not 0 <= start <= len(text):
        raise out_of_bounds()
    return text.find(part, start)


def last_index_of(text: str, part: str) -> int:
    """Return the last position of a part, -1 when absent."""
    return text.rfind(part)


def last_index_before(text: str, part: str, start: int) -> int:
    """Return the last position of a part at or before `start`, -1 when absent."""
    if not 0 <= start <= len(text):
        raise out_of_bounds()
    return text.rfind(part, 0, start + len(part))


def substring_from(text: str, start: int) -> str:
    """Return what stands at and after a position."""
    if not 0 <= start <= len(text):
        raise out_of_bounds()
    return text[start:]


def substring(text: str, start: int, end: int) -> str:
    """Return what stands from one position up to, and without, another."""
    if not 0 <= start <= end <= len(text):
        raise out_of_bounds()
    return text[start:end]


def out_of_bounds() -> CelError:
    """Return the error of a position outside a string or list."""
    return CelError("index-out-of-range", "a position lies outside of the string or list")


def split(work: Work, text: str, separator: str = " ", limit: int = -1) -> list[str]:
    """Cut at each separator; with a limit only the first pieces are kept, the rest is dropped."""
    work.spend(1 + (len(text) >> 5) + 2 * text.count(separator))
    # An empty separator cuts between all characters, where Python would refuse it.
    pieces = text.split(separator) if separator else list(text)
    return pieces if limit < 0 else pieces[:limit]


def replace(work: Work, text: str, old: str, new: str, limit: int = -1) -> str:
    """Replace every occurrence of a part, or the first `limit` ones."""
    found = text.count(old)
    count = found if limit < 0 else min(found, limit)
    work.grow(len(text) + max(0, count * (len(new) - len(old))))
    return text.replace(old, new, count)


def trim(text: str) -> str:
    """Cut white space off both ends; zero-width characters are none."""
    return text.strip(_SPACES)


def reverse(text: str) -> str:
    """Turn the order of the characters around."""
    return text[::-1]


def lower(text: str) -> str:
    """Lower-case each letter to exactly one letter."""
    if text.isascii():
        return text.lower()
    # The only letter with two for its lower case, and the only one whose lower case depends
    # on where it stands.
    return text.replace("\u0130", "i").replace("\u03a3", "\u03c3").lower()


def upper(work: Work, text: str) -> str:
    """Upper-case each letter to exactly one letter."""
    work.spend(1 + (len(text) >> 5))
    if text.isascii():
        return text.upper()
    work.spend(len(text) >> 1)
    if not _UPPER_SPECIAL_CLASS.search(text):
        return text.upper()
    work.spend(7 * len(text))
    pieces = _UPPER_SPECIAL_CLASS.split(text)
    specials = _UPPER_SPECIAL_CLASS.findall(text)
    changed = [piece.upper() for piece in pieces]
    for index, special in enumerate(specials):
        changed[index] += _UPPER_SPECIAL[ord(special)]
    return "".join(changed)


def lower_ascii(work: Work, text: str) -> str:
    """Lower-case A to Z only."""
    work.spend(1 + (len(text) >> 5))
    if text.isascii():
        return text.lower()
    work.spend(2 * len(text))
    return text.translate(_ASCII_LOWER)


def upper_ascii(work: Work, text: str) -> str:
    """Upper-case a to z only."""
    work.spend(1 + (len(text) >> 5))
    if text.isascii():
        return text.upper()
    work.spend(2 * len(text))
    return text.translate(_ASCII_UPPER)


_STRINGS: Final = ListType(STRING)
_STARTS: Final = method((STRING, STRING), BOOL, str.startswith, raises=False, inline=_begins_with)
_ENDS: Final = method(
    (STRING, STRING), BOOL, str.endswith, raises=False, inline=_python_method("endswith")
)
_CONTAINS: Final = method(
    (STRING, STRING), BOOL, contains, raises=False, inline=_part_in_text, cost=40
)
_ANY_CONTAINS: Final = method(
    (_STRINGS, STRING),
    BOOL,
    any_contains,
    counts_work=True,
    doubt=Doubt(
        code="list-contains",
        message="contains() of a list is true when some element has the text inside",
        hint="test for a whole element with 'x in list', or write list.exists(v, v.contains(x))",
    ),
)

STRING_FUNCTIONS: Final = (
    function("startsWith", "Whether a string begins with another.", _STARTS),
    function("endsWith", "Whether a string ends with another.", _ENDS),
    function("contains", "Whether a string has another inside.", _CONTAINS, _ANY_CONTAINS),
    function("starts_with", "As startsWith.", _STARTS, alias_of="startsWith"),
    function("ends_with", "As endsWith.", _ENDS, alias_of="endsWith"),
    function("includes", "As contains.", _CONTAINS, _ANY_CONTAINS, alias_of="contains"),
    function("charAt", "The character at a position.", method((STRING, INT), STRING, char_at)),
    function(
        "indexOf",
        "The first position of a part, from a position on; -1 when absent.",
        method((STRING, STRING), INT, str.find, raises=False, cost=40),
        method((STRING, STRING, INT), INT, index_of, cost=40),
    ),
    function(
        "lastIndexOf",
        "The last position of a part, up to a position; -1 when absent.",
        method((STRING, STRING), INT, last_index_of, raises=False, cost=40),
        method((STRING, STRING, INT), INT, last_index_before, cost=40),
    ),
    function(
        "substring",
        "What stands from one position up to another, or up to the end.",
        method((STRING, INT), STRING, substring_from, cost=2),
        method((STRING, INT, INT), STRING, substring, cost=2),
    ),
    function(
        "split",
        "The pieces between separators (a space, unless given); only the first n, if given.",
        method((STRING,), _STRINGS, split, raises=False, counts_work=True),
        method((STRING, STRING), _STRINGS, split, raises=False, counts_work=True),
        method((STRING, STRING, INT), _STRINGS, split, raises=False, counts_work=True),
    ),
    function(
        "replace",
        "The text with every occurrence of a part replaced, or the first n.",
        method((STRING, STRING, STRING), STRING, replace, raises=False, counts_work=True, cost=256),
        method(
            (STRING, STRING, STRING, INT), STRING, replace, raises=False, counts_work=True, cost=256
        ),
    ),
    function(
        "trim",
        "The text without white space at its ends.",
        method((STRING,), STRING, trim, raises=False, cost=64),
    ),
    function(
        "reverse",
        "The characters in reverse order.",
        method((STRING,), STRING, reverse, raises=False, cost=64),
    ),
    function(
        "lower",
        "The text in lower case, letter by letter.",
        method((STRING,), STRING, lower, raises=False, cost=256),
    ),
    function(
        "upper",
        "The text in upper case, letter by letter.",
        method((STRING,), STRING, upper, raises=False, counts_work=True),
    ),
    function(
        "lowerAscii",
        "The text with A to Z in lower case.",
        method((STRING,), STRING, lower_ascii, raises=False, counts_work=True),
    ),
    function(
        "upperAscii",
        "The text with a to z in upper case.",
        method((STRING,), STRING, upper_ascii, raises=False, counts_work=True),
    ),
)
