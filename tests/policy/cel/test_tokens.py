"""Cutting an expression into tokens."""

from __future__ import annotations

import pytest

from policy.cel import ExpressionError, Limits
from policy.cel.tokens import split_tokens
from tests.policy.cel.requests import Values, compiled


def test_an_interpolation_outside_of_strings_is_read_as_brackets() -> None:
    expression = compiled("${req.method} + '!' == 'GET!'")
    assert expression.evaluate(Values()) is True
    assert [finding.code for finding in expression.warnings] == ["needless-interpolation"]


def cut(text: str) -> list[tuple[str, str]]:
    tokens, _ = split_tokens(text, Limits())
    return [(token.type, str(token)) for token in tokens]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("a.b", [("IDENT", "a"), (".", "."), ("IDENT", "b")]),
        ("a // b\n", [("IDENT", "a")]),
        ("0x1Fu 1.5e3 .5 1", ["INT_LIT", "FLOAT_LIT", "FLOAT_LIT", "INT_LIT"]),
        ("'a' r\"b\" b'''c\n'''", ["STRING_LIT"] * 3),
        ("true null in", ["BOOL_LIT", "NULL_LIT", "in"]),
        ("a.`b-c`", [("IDENT", "a"), (".", "."), ("IDENT", "b-c")]),
        ("a<=b", ["IDENT", "<=", "IDENT"]),
    ],
    ids=str,
)
def test_a_text_is_cut(text: str, tokens: list[str] | list[tuple[str, str]]) -> None:
    found = cut(text)
    assert found == tokens or [kind for kind, _ in found] == tokens


@pytest.mark.parametrize(
    ("text", "code", "start"),
    [
        ("a == 'b", "syntax-error", 5),
        ("a = 1", "syntax-error", 2),
        ("1x", "syntax-error", 0),
        ("a # b", "syntax-error", 2),
        ("'${a}'", "interpolation-in-string", 1),
    ],
)
def test_what_is_no_token_is_refused_at_its_place(text: str, code: str, start: int) -> None:
    with pytest.raises(ExpressionError) as refused:
        cut(text)
    [finding] = refused.value.findings
    assert (finding.code, finding.start) == (code, start)
