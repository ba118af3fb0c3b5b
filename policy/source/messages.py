"""Every message about a text that can't be read as a document."""

from __future__ import annotations

import re
from typing import Final

from policy.problem import Place, Problem
from policy.source.core_schema import describe
from policy.source.node import Node, Scalar, Style

UNPARSABLE: Final = "ERR_NGROK_2236"
QUOTE_WITHIN_QUOTES: Final = "use the other kind of quotes for what stands between them"
QUOTE_EXPRESSION: Final = "quote the expression: '!' at the beginning is a YAML tag"
_TAG_LIKE = re.compile(r"(?:^|[-:,\[{])\s+!\S")

# What libyaml says (a part of it), what we say, and the remedy.
_PARSER_MESSAGES: Final = (
    (
        "mapping values are not allowed",
        "a ': ' inside unquoted text",
        "put the text in quotes, or check the indentation",
    ),
    (
        "found unexpected end of stream",
        "the quote that opens here is never closed",
        "close it, or double a quote that belongs to the text",
    ),
    (
        "found unexpected document indicator",
        "the quote that opens here is never closed",
        "close it, or double a quote that belongs to the text",
    ),
    (
        "found unknown escape character",
        "an unknown escape in double quotes",
        r"write '\\' for a backslash, or use single quotes",
    ),
    (
        "did not find expected hexdecimal number",
        r"'\x', '\u' and '\U' need two, four and eight hexadecimal digits behind them",
        r"write '\\' for a backslash, or use single quotes",
    ),
    (
        "invalid Unicode character escape code",
        "an escape that is no character",
        r"write characters beyond \uffff as \U and eight digits",
    ),
    (
        "did not find expected node content",
        "a value is missing here",
        "close brackets in the order in which they were opened",
    ),
    (
        "did not find expected '-' indicator",
        "a line that belongs neither to the list nor to what surrounds it",
        "check the indentation: items of one list begin in the same column",
    ),
    (
        "did not find expected key",
        "a line that belongs neither to the map nor to what surrounds it",
        "check the indentation: keys of one map begin in the same column",
    ),
    (
        "could not find expected ':'",
        "a key without ':' behind it",
        "write 'key: value', with the same indentation as its neighbours",
    ),
    (
        "did not find expected ',' or",
        "a list or map in brackets that is not closed",
        "put ',' between the entries and close the bracket",
    ),
    (
        "did not find expected alphabetic or numeric character",
        "'&' and '*' at the beginning of a text are YAML anchors and aliases",
        "put the text in quotes",
    ),
    (
        "block sequence entries are not allowed",
        "a list item where none can be",
        "put the list on the next line, indented",
    ),
    (
        "did not find URI escaped octet",
        "a text that begins with '!' or holds '%' in a YAML tag",
        QUOTE_EXPRESSION,
    ),
    ("undefined tag handle", "a YAML tag that is not defined", QUOTE_EXPRESSION),
    ("while scanning a tag", "a text that begins with '!'", QUOTE_EXPRESSION),
    (
        "did not find expected <document start>",
        "text behind the end of the document",
        "check the indentation, or put the text in quotes",
    ),
)


def unparsable(place: Place, reason: str, context: str = "") -> Problem:
    """Report what the YAML parser stumbled over, in words that lead to the remedy."""
    message, hint = _explain(place, reason, context)
    return Problem(
        code="yaml-syntax", message=message, place=place, hint=hint, reference=UNPARSABLE
    )


def _explain(place: Place, reason: str, context: str) -> tuple[str, str | None]:
    character = place.source_line[place.column - 1 : place.column]
    if "cannot start any token" in reason and character:
        if character == "\t":
            return "a tab in the indentation", "indent with spaces: YAML allows no tabs there"
        return f"{character!r} can't begin a text", "put the text in quotes"
    if _TAG_LIKE.search(place.source_line):
        return "a text that begins with '!'", QUOTE_EXPRESSION
    if place.source_line[: place.column - 1].endswith(('"', "'")):
        return "text behind a closing quote", QUOTE_WITHIN_QUOTES
    for part, message, hint in _PARSER_MESSAGES:
        if part in reason or part in context:
            return message, hint
    return reason, None


def json_syntax(place: Place, reason: str, hint: str | None = None) -> Problem:
    """Report where a document that begins like JSON stops being JSON."""
    return Problem(code="json-syntax", message=reason, place=place, hint=hint, reference=UNPARSABLE)


def too_large(place: Place, limit: int) -> Problem:
    """Report a document over the limit, without having read it."""
    return Problem(
        code="document-too-large",
        message=f"the document is larger than {limit} bytes",
        place=place,
        hint="split the policy, or raise the limit in the configuration",
        reference=UNPARSABLE,
    )


def not_utf8(place: Place, *, looks_utf16: bool) -> Problem:
    """Report bytes that are no UTF-8."""
    found = "the file is encoded as UTF-16" if looks_utf16 else "a byte that is not UTF-8"
    return Problem(
        code="not-utf-8",
        message=found,
        place=place,
        hint="save the file as UTF-8",
        reference=UNPARSABLE,
    )


def control_character(place: Place, character: str) -> Problem:
    """Report a character that may not stand in a document."""
    names = {"\0": "a NUL character", "\ufeff": "a byte-order mark inside the text"}
    found = names.get(character, f"the control character U+{ord(character):04X}")
    return Problem(
        code="control-character",
        message=f"{found} can't stand in a document",
        place=place,
        hint=f'write "\\u{ord(character):04X}" in double quotes if it belongs to a text',
        reference=UNPARSABLE,
    )


def second_document(place: Place) -> Problem:
    """Report a file with more than one document."""
    return Problem(
        code="several-documents",
        message="a second document begins here; a file holds one",
        place=place,
        hint="put each document into a file of its own",
        reference=UNPARSABLE,
    )


def too_deep(place: Place, limit: int) -> Problem:
    """Report nesting beyond the limit."""
    return Problem(
        code="nested-too-deep",
        message=f"lists and maps are nested deeper than {limit} levels",
        place=place,
        reference=UNPARSABLE,
    )


def alias_bomb(place: Place, limit: int) -> Problem:
    """Report aliases that stand for too much."""
    return Problem(
        code="too-many-aliases",
        message=f"the aliases of this document stand for more than {limit} values",
        place=place,
        reference=UNPARSABLE,
    )


def bad_alias(place: Place, name: str, *, inside: bool) -> Problem:
    """Report an alias without its anchor, or inside of it."""
    where = "and stands inside the value it names" if inside else "but nothing is named so before"
    return Problem(
        code="bad-alias",
        message=f"'*{name}' is an alias, {where}",
        place=place,
        hint="put the text in quotes if it is no alias",
        reference=UNPARSABLE,
    )


def tag(place: Place, name: str) -> Problem:
    """Report a YAML tag: an unquoted expression that begins with '!', or a language's object."""
    is_object = name.startswith(("!!", "tag:", "!<"))
    shown = "!!" + name.removeprefix("tag:yaml.org,2002:") if name.startswith("tag:") else name
    return Problem(
        code="yaml-tag",
        message=f"{shown!r} is read as a YAML tag; tags are not accepted",
        place=place,
        hint="leave the tag out" if is_object else QUOTE_EXPRESSION,
        reference=UNPARSABLE,
    )


def is_merge_key(key: Scalar) -> bool:
    """Tell whether a key is YAML 1.1's merge key."""
    return key.text == "<<" and key.style is Style.PLAIN


def merge_key(key: Scalar) -> Problem:
    """Report a merge key: YAML 1.2 has none, and what it overrides is easy to overlook."""
    return Problem(
        code="merge-key",
        message="merge keys ('<<') are not supported",
        place=key.place(),
        hint="write the keys out, or use an alias for a whole value",
        reference=UNPARSABLE,
    )


def bad_key(key: Node) -> Problem:
    """Report a list or map in the place of a key."""
    return Problem(
        code="bad-key",
        message=f"a key must be text, found {describe(key)}",
        place=key.place(),
        hint="put text that begins with '{' or '[' in quotes",
        reference=UNPARSABLE,
    )


def duplicate_key(key: Scalar, first: Scalar) -> Problem:
    """Report a key that occurs twice: which one counts would be a guess."""
    line, second = first.place().line, key.place().line
    which = "the two" if line == second else f"lines {line} and {second}"
    return Problem(
        code="duplicate-key",
        message=f"the key {key.text!r} is in this map already, on line {line}",
        place=key.place(),
        hint=f"keep one of {which}, or join their values",
        reference=UNPARSABLE,
    )
