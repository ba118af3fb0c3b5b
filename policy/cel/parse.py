"""From tokens to the syntax tree: cel-python's LALR grammar with tree builders of our own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from typing import Any, Final, cast

from lark import Lark, Token, UnexpectedInput
from lark.common import LexerConf
from lark.exceptions import UnexpectedToken
from lark.lexer import Lexer

from policy.cel import parse_errors, syntax
from policy.cel.finding import ExpressionError, Finding
from policy.cel.limits import Limits
from policy.cel.tokens import split_tokens
from policy.cel.tree import TreeBuilder

_VALUE_TERMINALS: Final = {"IDENT", "STRING_LIT", "INT_LIT"}


def parse_expression(text: str, limits: Limits) -> tuple[syntax.Node, list[Finding]]:
    """Parse one expression; the findings are warnings. Raises ExpressionError."""
    tokens, warnings = split_tokens(text, limits)
    if not tokens:
        raise ExpressionError([parse_errors.empty_expression(len(text))])
    try:
        tree = cast("syntax.Node", _parser().parse(tokens))
    except UnexpectedInput as error:
        raise ExpressionError([_syntax_error(error, tokens, len(text))]) from None
    if tree.depth > limits.max_depth:
        raise ExpressionError([parse_errors.tree_too_deep(len(text), limits.max_depth)])
    return tree, warnings


class _TokenFeed(Lexer):
    """Hands lark the tokens that are already cut, under the grammar's names for them."""

    def __init__(self, conf: LexerConf) -> None:
        self._names = {_plain(terminal.pattern.value): terminal.name for terminal in conf.terminals}

    def lex(self, tokens: Any) -> Iterator[Token]:  # type: ignore[override]
        names = self._names
        for token in tokens:
            token.type = names.get(token.type, token.type)
            yield token


def _plain(pattern: str) -> str:
    return re.sub(r"\\(.)", r"\1", pattern)


@cache
def _parser() -> Lark:
    # The grammar is read as package data: importing cel-python itself would load its evaluator.
    spec = find_spec("celpy")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("cel-python is not installed", name="celpy")
    with open(f"{spec.submodule_search_locations[0]}/cel.lark", encoding="utf-8") as grammar:  # noqa: PTH123
        return Lark(
            grammar.read(),
            parser="lalr",
            start="expr",
            lexer=_TokenFeed,
            transformer=TreeBuilder(),
            maybe_placeholders=False,
            keep_all_tokens=True,
        )


def _syntax_error(error: UnexpectedInput, tokens: list[Token], length: int) -> Finding:
    if not isinstance(error, UnexpectedToken):
        return parse_errors.unexpected_end(length, wants_value=True)
    wants_value = not _VALUE_TERMINALS.isdisjoint(error.accepts or error.expected)
    token = error.token
    if token.type == "$END":
        opening = _open_bracket(tokens)
        if opening is not None and not wants_value:
            return parse_errors.unclosed_bracket(opening.start_pos or 0, opening.end_pos or length)
        return parse_errors.unexpected_end(length, wants_value=wants_value)
    return parse_errors.unexpected_token(
        str(token), token.start_pos or 0, token.end_pos or length, wants_value=wants_value
    )


def _open_bracket(tokens: list[Token]) -> Token | None:
    stack: list[Token] = []
    for token in tokens:
        if token in ("(", "[", "{", "${"):
            stack.append(token)
        elif token in (")", "]", "}") and stack:
            stack.pop()
    return stack[-1] if stack else None
