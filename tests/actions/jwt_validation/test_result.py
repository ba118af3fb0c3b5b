from __future__ import annotations

import pytest

from actions.jwt_validation.result import TokenResult, Verified
from tests.tokens import RS256, claims_of


def test_a_verified_token_is_read_when_somebody_asks_and_once() -> None:
    text = RS256.token(claims_of(sub="somebody"))
    result = Verified(text, "header", "Authorization")
    assert result.tokens is result.tokens
    assert result.error is None
    assert result.tokens == [
        TokenResult(
            header=RS256.header(),
            payload=claims_of(sub="somebody"),
            signature=text.split(".")[2],
            location="header",
            location_property="Authorization",
            verified=True,
        )
    ]


def test_a_result_of_one_token_equals_another_of_the_same() -> None:
    text = RS256.token()
    assert Verified(text, "body", "t") == Verified(text, "body", "t")
    assert Verified(text, "body", "t") != Verified(text, "body", "u")


def test_a_result_has_nothing_else() -> None:
    result = Verified(RS256.token(), "header", "Authorization")
    with pytest.raises(AttributeError, match="else_"):
        _ = result.else_
