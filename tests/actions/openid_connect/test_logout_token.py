"""What a provider posts when a user logs out there: every way it can be wrong (OA-17, D2-32)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.login.protocol import LoginRefused, LogoutNotice
from actions.openid_connect.logout_token import USED_LOGOUT_TOKENS, token_in
from actions.openid_connect.protocol import PROTOCOL
from policy.effect import Effect
from policy.store import BadRecord, StoreGet, StoreUnavailable
from tests import exchanges
from tests.openid_provider import CLIENT_ID, USER, Provider, secrets_shown, settings
from tests.tokens import NOON_S, RS256, Signer, rsa_key

EVENT = "http://schemas.openid.net/event/backchannel-logout"


def notice(provider: Provider, body: bytes) -> LogoutNotice | LoginRefused:
    exchange = exchanges.exchange()
    assert PROTOCOL.logout_notice is not None
    outcome = provider.play(PROTOCOL.logout_notice(settings(), exchange, body))
    provider.given.append(body.decode("latin-1").removeprefix("logout_token="))
    assert secrets_shown(provider, exchange, outcome) == []
    if isinstance(outcome, LogoutNotice):
        assert outcome.remember is not None
        provider.answer(outcome.remember)
    return outcome


GOOD: dict[str, tuple[dict[str, Any], LogoutNotice]] = {
    "sub and sid": ({}, LogoutNotice(subject=USER, provider_session="sid-9")),
    "sub only": ({"sid": ...}, LogoutNotice(subject=USER)),
    "sid only": ({"sub": ...}, LogoutNotice(provider_session="sid-9")),
    "another event too": (
        {"events": {EVENT: {}, "urn:other": {}}},
        LogoutNotice(subject=USER, provider_session="sid-9"),
    ),
}


@pytest.mark.parametrize("case", GOOD.values(), ids=GOOD)
def test_a_token_in_order_says_whose_sessions_are_over(case: Any) -> None:
    changes, expected = case
    provider = Provider()
    assert notice(provider, provider.logout_body(**changes)) == expected


@pytest.mark.parametrize("kind", ["logout+jwt", "application/logout+jwt", "JWT", ...])
def test_its_type_may_be_absent_but_not_another(kind: Any) -> None:
    provider = Provider(changes={"header": {"typ": kind}})
    assert isinstance(notice(provider, provider.logout_body()), LogoutNotice)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no events": ({"events": ...}, "events"),
    "events a list": ({"events": [EVENT]}, "events"),
    "another event": ({"events": {"urn:other": {}}}, "events"),
    "an event that is a text": ({"events": {EVENT: "x"}}, "events"),
    "a nonce": ({"nonce": "n"}, "nonce"),
    "a nonce that is null": ({"nonce": None}, "nonce"),
    "neither sub nor sid": ({"sub": ..., "sid": ...}, "sub, sid"),
    "sub a number": ({"sub": 7}, "sub"),
    "sid empty": ({"sid": ""}, "sid"),
    "other aud": ({"aud": "other"}, "aud"),
    "no aud": ({"aud": ...}, "aud"),
    "others in aud": ({"aud": [CLIENT_ID, "other"]}, "aud"),
    "other iss": ({"iss": "https://evil.example"}, "iss"),
    "no iat": ({"iat": ...}, "iat"),
    "old iat": ({"iat": NOON_S - 181, "exp": NOON_S + 600}, "iat"),
    "iat in the future": ({"iat": NOON_S + 61}, "iat"),
    "no exp": ({"exp": ...}, "exp"),
    "expired": ({"exp": NOON_S - 61}, "exp"),
    "no jti": ({"jti": ...}, "jti"),
    "jti empty": ({"jti": ""}, "jti"),
    "jti a number": ({"jti": 7}, "jti"),
    "an endless jti": ({"jti": "j" * 2000}, "jti"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_claims_that_end_no_session(case: Any) -> None:
    changes, claim = case
    provider = Provider()
    refused = notice(provider, provider.logout_body(**changes))
    assert isinstance(refused, LoginRefused)
    assert (refused.status_code, refused.reason) == (400, "logout-token-rejected")
    assert refused.detail.startswith(f"the logout token: {claim}: ")
    assert provider.stored == {}


SIGNERS: dict[str, Provider] = {
    "none": Provider(changes={"header": {"alg": "none"}}),
    "HS256 with our secret": Provider(signer=Signer("HS256", settings().client_secret.encode())),
    "another key": Provider(signer=Signer("RS256", rsa_key(1), kid="k1")),
    "an access token": Provider(changes={"header": {"typ": "at+jwt"}}),
    "crit": Provider(changes={"header": {"crit": ["exp"]}}),
}


@pytest.mark.parametrize("provider", SIGNERS.values(), ids=SIGNERS)
def test_signatures_that_end_no_session(provider: Provider) -> None:
    refused = notice(provider, provider.logout_body())
    assert isinstance(refused, LoginRefused)
    assert (refused.status_code, refused.reason) == (400, "logout-token-rejected")


def test_an_id_token_ends_no_session() -> None:
    provider = Provider()
    token = provider.id_token("a", {"nonce": "n"})
    refused = notice(provider, b"logout_token=" + token.encode())
    assert isinstance(refused, LoginRefused)


def test_a_token_is_good_for_once() -> None:
    provider = Provider()
    assert isinstance(notice(provider, provider.logout_body()), LogoutNotice)
    refused = notice(provider, provider.logout_body())
    assert isinstance(refused, LoginRefused)
    assert refused.detail == "the logout token: jti: used before"
    assert isinstance(notice(provider, provider.logout_body(jti="logout-2")), LogoutNotice)
    [put, _] = provider.stored.values()
    assert 120 < put.ttl_s <= 300


def test_what_is_remembered_of_a_token_is_nothing_but_that_it_was_used() -> None:
    kind = USED_LOGOUT_TOKENS
    assert kind.decode(kind.encode(b"")) == b""
    with pytest.raises(BadRecord):
        kind.decode(b"x")


BODIES: dict[str, bytes] = {
    "empty": b"",
    "no token": b"token=a",
    "an empty token": b"logout_token=",
    "no form": b"\xff\xfe",
    "escapes that are no text": b"logout_token=%ff",
    "no token at all": b"logout_token=a.b.c",
    "JSON": b'{"logout_token": "a"}',
    "too many fields": b"&".join(b"a%d=1" % number for number in range(100)),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_bodies_that_end_no_session(body: bytes) -> None:
    refused = notice(Provider(), body)
    assert isinstance(refused, LoginRefused)
    assert refused.status_code == 400


def test_a_doubled_field_ends_no_session() -> None:
    provider = Provider()
    body = provider.logout_body()
    for doubled in (body + b"&" + body, body + b"&a=1&a=2"):
        refused = notice(provider, doubled)
        assert isinstance(refused, LoginRefused)
        assert refused.status_code == 400


def test_a_store_that_is_away_is_no_reason_to_believe() -> None:
    class Without(Provider):
        def answer(self, effect: Effect) -> Any:
            if isinstance(effect, StoreGet):
                return StoreUnavailable(reason="not-connected")
            return super().answer(effect)

    provider = Without(keys=[RS256])
    refused = notice(provider, provider.logout_body())
    assert isinstance(refused, LoginRefused)
    assert (refused.status_code, refused.reason) == (503, "store-unavailable")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/jwks", "keys-unavailable"),
        ("/.well-known/openid-configuration", "metadata-unavailable"),
    ],
)
def test_a_provider_that_is_away_may_try_again(path: str, reason: str) -> None:
    provider = Provider(down={path})
    refused = notice(provider, provider.logout_body())
    assert isinstance(refused, LoginRefused)
    assert (refused.status_code, refused.reason) == (503, reason)


@given(st.binary(max_size=200))
def test_a_body_gives_a_token_or_nothing(body: bytes) -> None:
    assert token_in(body) is None or token_in(body)
