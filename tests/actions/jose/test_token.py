from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.jose.token import MAX_TOKEN, CriticalExtension, TokenError, parse_token
from tests.tokens import RS256, b64, packed

HEADER = {"alg": "RS256", "kid": "k1", "typ": "JWT"}


def text(header: Any = HEADER, payload: Any = b"{}", signature: bytes = b"s" * 32) -> str:
    return f"{packed(header)}.{packed(payload)}.{b64(signature)}"


def test_a_token_is_taken_apart() -> None:
    token = parse_token(RS256.token({"iss": "me"}))
    assert (token.algorithm, token.kid, token.media_type) == ("RS256", "k1", "jwt")
    assert token.payload == b'{"iss":"me"}'
    assert token.signing_input.count(b".") == 1
    assert "me" not in repr(token)


@pytest.mark.parametrize(
    ("written", "read"), [("at+jwt", "at+jwt"), ("application/AT+JWT", "at+jwt"), ("", "")]
)
def test_a_type_is_read_without_its_prefix(written: str, read: str) -> None:
    assert parse_token(text(HEADER | {"typ": written})).media_type == read


PARTS = text().split(".")
MALFORMED = {
    "empty": "",
    "two parts": ".".join(PARTS[:2]),
    "four parts": f"{text()}.AAAA",
    "five parts, as an encrypted token": f"{text()}.AAAA.AAAA",
    "six parts": f"{text()}.A.A.A",
    "no header": f".{PARTS[1]}.{PARTS[2]}",
    "no signature": f"{PARTS[0]}.{PARTS[1]}.",
    "JSON serialisation": '{"payload": "", "signatures": []}',
    "padding": f"{PARTS[0]}=.{PARTS[1]}.{PARTS[2]}",
    "plus and slash": f"{PARTS[0]}.{PARTS[1]}.+/{PARTS[2][2:]}",
    "space before": f" {text()}",
    "space inside": f"{PARTS[0]}. {PARTS[1]}.{PARTS[2]}",
    "line feed at the end": f"{text()}\n",
    "stray bits": f"{PARTS[0]}.{PARTS[1]}.AB",
    "not ASCII": f"{PARTS[0]}.{PARTS[1]}.\u0410\u0410\u0410\u0410",
    "header is a list": text([]),
    "header is no JSON": text(b"{"),
    "header with a member twice": text(b'{"alg":"RS256","alg":"none"}'),
    "header too long": text(HEADER | {"x": "x" * 4_096}),
    "header too deep": text(b'{"a":' + b"[" * 1_000 + b"]" * 1_000 + b"}"),
    "kid is a number": text(HEADER | {"kid": 7}),
    "kid is null": text(HEADER | {"kid": None}),
    "kid too long": text(HEADER | {"kid": "k" * 1_025}),
    "typ is a list": text(HEADER | {"typ": ["JWT"]}),
    "1 MB": text(payload=b"x" * 1_000_000),
    "one too long": "A" * (MAX_TOKEN + 1),
}


@pytest.mark.parametrize("token", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_token_is_refused(token: str) -> None:
    """JW-4, JW-10, JW-14, JW-15."""
    with pytest.raises(TokenError):
        parse_token(token)


CRITICAL: dict[str, Any] = {
    "b64 false": {"crit": ["b64"], "b64": False},
    "b64 alone": {"b64": True},
    "unknown name": {"crit": ["exp2"], "exp2": 1},
    "a registered name": {"crit": ["alg"]},
    "empty list": {"crit": []},
    "a string": {"crit": "b64"},
    "null": {"crit": None},
    "a name that is not there": {"crit": ["x"]},
}


@pytest.mark.parametrize("members", CRITICAL.values(), ids=CRITICAL)
def test_what_has_to_be_understood_is_refused(members: Any) -> None:
    """JW-7."""
    with pytest.raises(CriticalExtension):
        parse_token(text(HEADER | members))


@given(st.text(max_size=60) | st.text("abAB01-_.=", max_size=60))
def test_any_text_is_read_or_refused(token: str) -> None:
    try:
        parse_token(token)
    except TokenError:
        pass
