"""The address of a login: nobody but us says what makes it safe."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from actions.login.protocol import Challenge
from actions.oauth2.authorization_request import (
    RESERVED,
    authorization_parameters,
    forced_prompt,
    with_parameters,
)

CHALLENGE = Challenge(
    state="state",
    nonce="nonce",
    # RFC 7636, appendix B.
    verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    redirect_uri="https://orders.example.com/ngrok/oauth2/callback?auth_id=a",
)


def test_a_login_has_state_pkce_and_one_way_back() -> None:
    asked = authorization_parameters(
        CHALLENGE, client_id="orders", scopes=("a", "b:c"), extra={"hd": "example.com"}
    )
    assert asked == {
        "hd": "example.com",
        "response_type": "code",
        "client_id": "orders",
        "redirect_uri": CHALLENGE.redirect_uri,
        "scope": "a b:c",
        "state": "state",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_what_a_policy_adds_never_wins(name: str) -> None:
    asked = authorization_parameters(
        CHALLENGE, client_id="orders", scopes=("a",), extra={name: "theirs"}
    )
    assert asked.get(name) != "theirs"


@pytest.mark.parametrize(
    ("prompt", "forced"),
    [
        (None, "login"),
        ("none", "login"),
        ("login", "login"),
        ("select_account", "login select_account"),
        ("login consent", "login consent"),
    ],
)
def test_a_forced_login_asks_for_credentials(prompt: str | None, forced: str) -> None:
    extra = {"hd": "a"} if prompt is None else {"hd": "a", "prompt": prompt}
    assert forced_prompt(extra) == {"hd": "a", "prompt": forced}


def test_values_are_encoded_and_what_was_there_stays() -> None:
    url = with_parameters("https://login.example.com/a?t=1%262", {"s": "a&b=c d\u00e9#"})
    parts = urlsplit(url)
    assert (parts.netloc, parts.path, parts.fragment) == ("login.example.com", "/a", "")
    assert parse_qsl(parts.query) == [("t", "1&2"), ("s", "a&b=c d\u00e9#")]
    assert url.isascii()
