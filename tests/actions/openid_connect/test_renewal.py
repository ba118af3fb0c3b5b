"""What a renewal makes of a session, by what the provider answers (OA-15, D2-29)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actions.login.protocol import Ended, Kept, LoggedIn, Renewal
from actions.login.session import Session, Tokens, digest
from actions.openid_connect.protocol import PROTOCOL
from actions.openid_connect.settings import OpenIdSettings
from policy.effect import Fetched, FetchFailed
from tests import exchanges
from tests.openid_provider import (
    CLIENT_ID,
    NONCE,
    Provider,
    challenge,
    json_answer,
    pending,
    secrets_shown,
    session_of,
    settings,
)
from tests.tokens import NOON_S, RS256, Signer, rsa_key


def logged_in(provider: Provider, config: OpenIdSettings | None = None) -> Session:
    config, exchange = config or settings(), exchanges.exchange()
    url = provider.play(PROTOCOL.begin(config, exchange, challenge()))
    assert isinstance(url, str)
    back = provider.authorize(url)
    outcome = provider.play(PROTOCOL.finish(config, exchange, pending(), back))
    assert isinstance(outcome, LoggedIn), outcome
    provider.asked.clear()
    return session_of(outcome)


def renew(provider: Provider, session: Session, config: OpenIdSettings | None = None) -> Renewal:
    exchange = exchanges.exchange()
    outcome = provider.play(PROTOCOL.renew(config or settings(), exchange, session))
    shown = replace(outcome, tokens=Tokens()) if isinstance(outcome, LoggedIn) else outcome
    assert secrets_shown(provider, exchange, shown) == []
    alerts = [each for each in exchange.warnings if each.startswith("ALERT")]
    assert bool(alerts) == (isinstance(outcome, Ended) and outcome.error_code == "ERR_NGROK_3151")
    return outcome


def test_a_refresh_brings_new_tokens_and_what_is_new_about_the_user() -> None:
    provider = Provider()
    session = logged_in(provider)
    provider.changes["userinfo"] = {"email": "new@example.com"}
    outcome = renew(provider, session)
    assert isinstance(outcome, LoggedIn)
    assert outcome.is_person_renewed
    assert outcome.person.email == "new@example.com"
    assert outcome.tokens.refresh_token in provider.refresh_tokens
    assert session.tokens.refresh_token not in provider.refresh_tokens
    assert outcome.tokens.access_token != session.tokens.access_token
    assert outcome.tokens.id_token != session.tokens.id_token
    assert outcome.details == session.details
    again = renew(provider, replace(session, tokens=outcome.tokens))
    assert isinstance(again, LoggedIn)


def test_what_userinfo_does_not_say_any_more_is_gone() -> None:
    provider = Provider(changes={"userinfo": {"groups": ["admins"]}})
    session = logged_in(provider)
    assert session.person.claims["groups"] == ["admins"]
    provider.changes["userinfo"] = {}
    provider.changes["token"] = {"id_token": ...}
    outcome = renew(provider, session)
    assert isinstance(outcome, LoggedIn)
    assert "groups" not in outcome.person.claims
    assert outcome.is_person_renewed


def test_a_refresh_token_that_is_not_rotated_stays() -> None:
    provider = Provider(rotates=False)
    session = logged_in(provider)
    provider.gives_refresh_token = False
    outcome = renew(provider, session)
    assert isinstance(outcome, LoggedIn)
    assert outcome.tokens.refresh_token == session.tokens.refresh_token


def test_no_new_id_token_keeps_the_user_as_it_was() -> None:
    provider = Provider(changes={"metadata": {"userinfo_endpoint": ...}})
    session = logged_in(provider)
    provider.changes["token"] = {"id_token": ...}
    outcome = renew(provider, session)
    assert isinstance(outcome, LoggedIn)
    assert not outcome.is_person_renewed
    assert outcome.person == session.person
    assert outcome.tokens.id_token == session.tokens.id_token
    assert outcome.tokens.refresh_token != session.tokens.refresh_token


def test_the_old_id_token_once_more_is_no_new_one() -> None:
    provider = Provider(changes={"metadata": {"userinfo_endpoint": ...}})
    session = logged_in(provider)
    provider.changes["token"] = {"id_token": session.tokens.id_token}
    provider.now_s += 3600
    outcome = renew(provider, session)
    assert isinstance(outcome, LoggedIn)
    assert not outcome.is_person_renewed


@pytest.mark.parametrize(
    "answer",
    [
        FetchFailed(reason="timed-out"),
        Fetched(status_code=500),
        Fetched(status_code=200, body=b"<html>"),
    ],
    ids=["timeout", "500", "HTML"],
)
def test_tokens_are_kept_although_userinfo_fails(answer: Any) -> None:
    provider = Provider()
    session = logged_in(provider)
    provider.answers["/userinfo"] = answer
    outcome = renew(provider, session)
    assert isinstance(outcome, LoggedIn)
    assert not outcome.is_person_renewed
    assert outcome.person == session.person
    assert outcome.tokens.refresh_token in provider.refresh_tokens


def test_tokens_are_kept_although_nobody_can_verify_the_id_token() -> None:
    provider = Provider()
    session = logged_in(provider)
    provider.down.add("/jwks")
    outcome = renew(provider, session)
    assert isinstance(outcome, LoggedIn)
    assert not outcome.is_person_renewed
    assert outcome.tokens.id_token == session.tokens.id_token
    assert outcome.tokens.refresh_token in provider.refresh_tokens


KEPT: dict[str, tuple[Any, str]] = {
    "500": (Fetched(status_code=500), "provider-answer-unusable"),
    "timeout": (FetchFailed(reason="timed-out"), "provider-answer-unusable"),
    "nobody there": (FetchFailed(reason="not-connected"), "provider-unreachable"),
    "429": (Fetched(status_code=429), "provider-too-busy"),
    "HTML": (Fetched(status_code=200, body=b"<html>"), "provider-answer-unusable"),
    "50 MB": (FetchFailed(reason="answer-too-large"), "provider-answer-unusable"),
    "our client is refused": (json_answer({"error": "invalid_client"}, 401), "client-refused"),
    "a temporary error": (
        json_answer({"error": "temporarily_unavailable"}, 400),
        "provider-unavailable",
    ),
}


@pytest.mark.parametrize("case", KEPT.values(), ids=KEPT)
def test_a_provider_that_can_not_say_ends_nothing(case: Any) -> None:
    answer, reason = case
    provider = Provider()
    session = logged_in(provider)
    provider.answers["/token"] = answer
    assert renew(provider, session) == Kept(reason=reason)
    assert len(provider.fetches("/token")) == 1


def test_a_provider_without_metadata_ends_nothing() -> None:
    provider = Provider()
    session = logged_in(provider)
    provider.down.add("/.well-known/openid-configuration")
    assert renew(provider, session) == Kept(reason="metadata-unavailable")


ENDED: dict[str, tuple[dict[str, Any], str]] = {
    "OA-15 another user": ({"sub": "user-8"}, "renewal-of-other-user"),
    "another issuer": ({"iss": "https://evil.example"}, "id-token-rejected"),
    "another audience": ({"aud": "other"}, "id-token-rejected"),
    "another azp": ({"azp": "other"}, "id-token-rejected"),
    "expired": ({"exp": NOON_S - 61}, "id-token-rejected"),
    "another at_hash": ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "id-token-rejected"),
    "another login's auth_time": ({"auth_time": NOON_S}, "id-token-rejected"),
    "another login's nonce": ({"nonce": "n"}, "id-token-rejected"),
    "a nonce that is a number": ({"nonce": 7}, "id-token-rejected"),
}


@pytest.mark.parametrize("case", ENDED.values(), ids=ENDED)
def test_a_new_id_token_out_of_order_ends_the_session(case: Any) -> None:
    changes, reason = case
    provider = Provider()
    session = logged_in(provider)
    provider.changes["id_token"] = changes
    assert renew(provider, session) == Ended(reason=reason, error_code="ERR_NGROK_3151")
    assert provider.fetches("/userinfo") == []


def test_a_new_id_token_with_another_key_ends_the_session() -> None:
    provider = Provider()
    session = logged_in(provider)
    provider.signer = Signer("RS256", rsa_key(1), kid=RS256.kid)
    outcome = renew(provider, session)
    assert outcome == Ended(reason="id-token-rejected", error_code="ERR_NGROK_3151")


def test_the_login_s_own_nonce_and_time_are_fine() -> None:
    provider = Provider()
    session = logged_in(provider)
    provider.changes["id_token"] = {"nonce": NONCE, "auth_time": NOON_S - 5, "azp": CLIENT_ID}
    assert isinstance(renew(provider, session), LoggedIn)
    assert session.details["nonce_digest"] == digest(NONCE)


def test_a_refused_refresh_token_ends_the_session() -> None:
    provider = Provider()
    session = logged_in(provider)
    provider.refresh_tokens.clear()
    outcome = renew(provider, session)
    assert outcome == Ended(reason="refresh-refused", error_code="ERR_NGROK_3100")


@pytest.mark.parametrize("has_refresh_token", [True, False])
def test_userinfo_of_another_user_ends_the_session(has_refresh_token: bool) -> None:  # noqa: FBT001
    provider = Provider(gives_refresh_token=has_refresh_token)
    session = logged_in(provider)
    provider.answers["/userinfo"] = json_answer({"sub": "user-8"})
    outcome = renew(provider, session)
    assert outcome == Ended(reason="renewal-of-other-user", error_code="ERR_NGROK_3151")


@pytest.mark.parametrize("status", [401, 403])
def test_an_access_token_that_is_refused_ends_the_session(status: int) -> None:
    provider = Provider(gives_refresh_token=False)
    session = logged_in(provider)
    provider.answers["/userinfo"] = Fetched(status_code=status)
    outcome = renew(provider, session)
    assert outcome == Ended(reason="userinfo-refused", error_code="ERR_NGROK_3100")


def test_without_a_refresh_token_userinfo_is_asked() -> None:
    provider = Provider(gives_refresh_token=False)
    session = logged_in(provider)
    provider.changes["userinfo"] = {"name": "New Name"}
    outcome = renew(provider, session)
    assert isinstance(outcome, LoggedIn)
    assert (outcome.person.name, outcome.tokens) == ("New Name", session.tokens)
    assert provider.fetches("/token") == []


def test_without_a_refresh_token_a_failing_userinfo_keeps_the_session() -> None:
    provider = Provider(gives_refresh_token=False)
    session = logged_in(provider)
    provider.answers["/userinfo"] = Fetched(status_code=500)
    assert renew(provider, session) == Kept(reason="provider-answer-unusable")


def test_nothing_to_ask_with_keeps_the_session() -> None:
    provider = Provider(gives_refresh_token=False)
    session = logged_in(provider)
    expired = replace(session.tokens, expires_ns=exchanges.NOON_NS)
    outcome = renew(provider, replace(session, tokens=expired))
    assert outcome == Kept(reason="renewal-without-refresh-token")
    provider.changes["metadata"] = {"userinfo_endpoint": ...}
    assert renew(provider, session) == Kept(reason="renewal-not-possible")
    assert provider.fetches("/userinfo") == []


def test_an_id_token_that_can_not_be_read_any_more_tells_nothing() -> None:
    provider = Provider(gives_refresh_token=False)
    session = logged_in(provider)
    unreadable = replace(session.tokens, id_token="")
    outcome = renew(provider, replace(session, tokens=unreadable))
    assert isinstance(outcome, LoggedIn)
    assert outcome.person.subject == session.person.subject


STEP_UPS: dict[str, dict[str, str]] = {
    "D2-20 max_age": {"max_age": "60"},
    "D2-21 acr_values": {"acr_values": "urn:mfa"},
}


@pytest.mark.parametrize("asked", STEP_UPS.values(), ids=STEP_UPS)
def test_a_policy_that_asks_for_more_is_not_satisfied_by_an_older_login(
    asked: dict[str, str],
) -> None:
    provider = Provider(changes={"id_token": {"acr": "urn:password", "auth_time": NOON_S - 600}})
    session = logged_in(provider)
    outcome = renew(provider, session, settings(authz_url_params=asked))
    assert isinstance(outcome, Ended)
    assert outcome.error_code == "ERR_NGROK_3114"
    assert provider.fetches("/token") == []


@pytest.mark.parametrize("asked", STEP_UPS.values(), ids=STEP_UPS)
def test_an_older_login_that_has_all_that_goes_on(asked: dict[str, str]) -> None:
    provider = Provider(changes={"id_token": {"acr": "urn:mfa", "auth_time": NOON_S - 30}})
    session = logged_in(provider)
    assert isinstance(renew(provider, session, settings(authz_url_params=asked)), LoggedIn)
