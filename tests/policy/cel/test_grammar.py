"""What is an expression at all: we and cel-python's grammar agree, on every row of tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from lark import Lark, Token, UnexpectedInput
from lark.common import LexerConf
from lark.lexer import Lexer

from policy.cel import Limits
from policy.cel.finding import ExpressionError
from policy.cel.parse import parse_expression
from policy.cel.tokens import split_tokens

LIMITS: Final = Limits(max_depth=1_000, max_nesting=1_000)
PARTS: Final = (
    "a", "b.c", "'s'", "1", "2.5", "true", "null", "(", ")", "[", "]", "{", "}", ".", ",", ":",
    "?", "&&", "||", "==", "<=", " in ", "+", "-", "*", "%", "!", "f(", "a.g(", "A{b:", "[1]",
    "{a:1}",
)  # fmt: skip
# What is read as the grammar has it, and refused for what it says.
NOT_OF_SYNTAX: Final = ("bad-literal", "bad-macro")


class Feed(Lexer):
    """Hands our tokens to lark, under the grammar's names for them."""

    def __init__(self, conf: LexerConf) -> None:
        self._names = {
            re.sub(r"\\(.)", r"\1", each.pattern.value): each.name for each in conf.terminals
        }

    def lex(self, text: Any) -> Iterator[Token]:  # type: ignore[override]
        for each in split_tokens(str(text), LIMITS)[0]:
            yield Token(self._names.get(each.kind, each.kind), each.text, each.start)


@pytest.fixture(scope="module")
def grammar() -> Lark:
    text = (files("celpy") / "cel.lark").read_text("utf-8")
    return Lark(text, parser="lalr", start="expr", lexer=Feed)


def offence_by_grammar(grammar: Lark, text: str) -> int | None:
    """Return where the grammar ends, None if it goes through."""
    try:
        grammar.parse(text)
    except UnexpectedInput as error:
        token = getattr(error, "token", None)
        return len(text) if token is None or token.type == "$END" else error.pos_in_stream
    return None


def offence(text: str) -> int | None:
    try:
        parse_expression(text, LIMITS)
    except ExpressionError as error:
        [finding] = error.findings
        if finding.code in NOT_OF_SYNTAX:
            return None
        # A bracket that stays open is shown where it opens.
        return len(text) if "not closed" in finding.message else finding.start
    return None


@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=12).map(" ".join))
def test_the_same_is_an_expression_and_the_same_token_is_one_too_many(
    grammar: Lark, text: str
) -> None:
    found = offence(text)
    # The grammar lets braces stand behind anything, we behind the name of a message only.
    assume(found is None or text[found : found + 1] != "{")
    assert found == offence_by_grammar(grammar, text)
