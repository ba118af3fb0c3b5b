"""From text to tokens, in linear time and within limits.

cel-python's grammar brings terminals of its own, but its string patterns take exponential time
on an unterminated literal, and they can't say what is wrong; so the tokens are cut here and only
the grammar's rules are used.
"""

from __future__ import annotations

import re
from typing import Final

from lark import Token

from policy.cel.finding import ExpressionError, Finding
from policy.cel.limits import Limits
from policy.cel.parse_errors import (
    brackets_too_deep,
    expression_too_big,
    expression_too_long,
    interpolation_in_expression,
    interpolation_in_string,
    malformed_number,
    no_statements,
    unexpected_character,
    unterminated_string,
)

_TOKEN: Final = re.compile(
    r"""
    (?P<skip>[\t\n\f\r ]+|//[^\n\r]*)
  | (?P<string>[bB]?[rR](?:\"\"\"(?s:.*?)\"\"\"|'''(?s:.*?)'''|"[^"\n\r]*"|'[^'\n\r]*')
      |[bB]?(?:
         \"\"\"[^"\\]*(?:(?:\\(?s:.)|"(?!""))[^"\\]*)*\"\"\"
        |'''[^'\\]*(?:(?:\\(?s:.)|'(?!''))[^'\\]*)*'''
        |"(?!"")[^"\\\n\r]*(?:\\[^\n\r][^"\\\n\r]*)*"
        |'(?!'')[^'\\\n\r]*(?:\\[^\n\r][^'\\\n\r]*)*'
        |""(?!")|''(?!')))
  | (?P<quoted>(?<=\.)`[a-zA-Z0-9_.\-/ ]+`)
  | (?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
  | (?P<number>0[xX][0-9a-fA-F]+[uU]?
      |(?:[0-9]+\.[0-9]+|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|[0-9]+[uU]?)
      (?P<tail>[_a-zA-Z0-9]*)
  | (?P<operator>\$\{|&&|\|\||[<>=!]=|[-+*/%!<>?:.,()\[\]{}])
    """,
    re.VERBOSE,
)
_OPENING: Final = {"(": ")", "[": "]", "{": "}", "${": "}"}
_WORDS: Final = {"true": "BOOL_LIT", "false": "BOOL_LIT", "null": "NULL_LIT", "in": "in"}


def split_tokens(text: str, limits: Limits) -> tuple[list[Token], list[Finding]]:
    """Cut an expression into tokens; the findings are warnings. Raises ExpressionError.

    The type of an operator's token is its text, of any other the grammar's terminal.
    """
    if len(text) > limits.max_length:
        raise ExpressionError([expression_too_long(len(text), limits.max_length)])
    tokens: list[Token] = []
    warnings: list[Finding] = []
    brackets: list[str] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError([_unreadable(text, position, tokens)])
        position = match.end()
        kind = match.lastgroup
        if kind == "skip":
            continue
        if kind == "operator":
            token = _operator(match, brackets)
            if match[0] == "${":
                warnings.append(interpolation_in_expression(match.start(), match.end()))
            if len(brackets) > limits.max_nesting:
                raise ExpressionError([brackets_too_deep(match.start(), limits.max_nesting)])
        else:
            token = _word(match)
        tokens.append(token)
        if len(tokens) > limits.max_nodes:
            raise ExpressionError([expression_too_big(match.start(), limits.max_nodes)])
    return tokens, warnings


def _operator(match: re.Match[str], brackets: list[str]) -> Token:
    text = kind = match[0]
    if text in _OPENING:
        brackets.append(text)
        # `${x}` outside a string is read as `(x)`: existing policies write it.
        kind = "(" if text == "${" else text
    elif brackets and text == _OPENING[brackets[-1]]:
        kind = ")" if brackets.pop() == "${" else text
    return Token(kind, text, match.start(), end_pos=match.end())


def _word(match: re.Match[str]) -> Token:
    text, start, end = match[0], match.start(), match.end()
    if match["name"] is not None:
        return Token(_WORDS.get(text, "IDENT"), text, start, end_pos=end)
    if match["quoted"] is not None:
        # A field name that is no plain word: headers.`content-type`.
        return Token("IDENT", text[1:-1], start, end_pos=end)
    if match["string"] is not None:
        inside = text.find("${")
        if inside >= 0:
            raise ExpressionError([interpolation_in_string(start + inside, start + inside + 2)])
        return Token("STRING_LIT", text, start, end_pos=end)
    if match["tail"]:
        raise ExpressionError([malformed_number(text, start, end)])
    if text[:2] not in ("0x", "0X") and any(c in text for c in ".eE"):
        return Token("FLOAT_LIT", text, start, end_pos=end)
    return Token("INT_LIT", text, start, end_pos=end)


def _unreadable(text: str, position: int, tokens: list[Token]) -> Finding:
    if tokens and tokens[0] in ("var", "let", "const") and text[position] == "=":
        return no_statements(str(tokens[0]), tokens[0].start_pos or 0, tokens[0].end_pos or 0)
    rest = text[position : position + 5].lstrip("bBrR")
    if rest[:1] in ("'", '"'):
        return unterminated_string(position, len(text))
    return unexpected_character(text[position], position)
