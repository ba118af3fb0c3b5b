"""Whole logins with a provider in good order, and with one that has one bad habit at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from actions.login.protocol import Farewell, LoggedIn, LoginRefused
from actions.login.session import Tokens, digest
from actions.openid_connect.protocol import PROTOCOL
from actions.openid_connect.settings import OpenIdSettings
from policy.effect import Fetch, Fetched, FetchFailed
from policy.exchange import Exchange
from tests import exchanges
from tests.openid_provider import (
    CLIENT_ID,
    ISSUER,
    NONCE,
    REDIRECT_URI,
    STATE,
    USER,
    VERIFIER,
    Provider,
    challenge,
    json_answer,
    pending,
    secrets_shown,
    session_of,
    settings,
)
from tests.tokens import NOON_S, RS256, Signer, ec_key, ed_key, rsa_key

OTHER = Signer("RS256", rsa_key(1), kid="k1")


def begin(
    provider: Provider, config: OpenIdSettings | None = None, **changes: Any
) -> str | LoginRefused:
    exchange = exchanges.exchange()
    return provider.play(PROTOCOL.begin(config or settings(), exchange, challenge(**changes)))


def parameters_of(url: str | LoginRefused) -> dict[str, str]:
    assert isinstance(url, str)
    pairs = parse_qsl(urlsplit(url).query, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def log_in(
    provider: Provider,
    config: OpenIdSettings | None = None,
    *,
    exchange: Exchange | None = None,
    back: Callable[[dict[str, str]], Mapping[str, str]] = lambda parameters: parameters,
    **pending_changes: Any,
) -> LoggedIn | LoginRefused:
    config = config or settings()
    exchange = exchange or exchanges.exchange()
    url = provider.play(PROTOCOL.begin(config, exchange, challenge()))
    if isinstance(url, LoginRefused):
        return url
    parameters = back(provider.authorize(url))
    steps = PROTOCOL.finish(config, exchange, pending(**pending_changes), parameters)
    outcome = provider.play(steps)
    assert secrets_shown(provider, exchange, replace_tokens(outcome)) == []
    return outcome


def replace_tokens(outcome: Any) -> Any:
    return replace(outcome, tokens=Tokens()) if isinstance(outcome, LoggedIn) else outcome


# --- a provider in good order ----------------------------------------------------------------


def test_a_login_asks_with_everything_that_makes_it_safe() -> None:
    url = begin(Provider())
    asked = parameters_of(url)
    assert str(url).startswith(f"{ISSUER}/authorize?")
    assert len(asked.pop("code_challenge")) == 43
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "scope": "openid profile email",
        "state": STATE,
        "nonce": NONCE,
        "code_challenge_method": "S256",
    }
    assert VERIFIER not in str(url)


def test_scopes_and_parameters_of_the_policy_are_added() -> None:
    config = settings(scopes=["groups"], authz_url_params={"hd": "example.com", "prompt": "none"})
    asked = parameters_of(begin(Provider(), config))
    assert asked["scope"] == "openid groups"
    assert (asked["hd"], asked["prompt"]) == ("example.com", "none")
    assert parameters_of(begin(Provider(), config, force=True))["prompt"] == "login"
    config = settings(authz_url_params={"prompt": "consent"})
    assert parameters_of(begin(Provider(), config, force=True))["prompt"] == "login consent"


def test_parameters_of_the_authorization_endpoint_stay() -> None:
    provider = Provider(
        changes={"metadata": {"authorization_endpoint": f"{ISSUER}/authorize?tenant=a"}}
    )
    assert parameters_of(begin(provider))["tenant"] == "a"


def test_pushed_parameters_are_not_in_the_address() -> None:
    provider = Provider(
        changes={
            "metadata": {
                "require_pushed_authorization_requests": True,
                "pushed_authorization_request_endpoint": f"{ISSUER}/par",
            }
        }
    )
    asked = parameters_of(begin(provider))
    assert asked == {"client_id": CLIENT_ID, "request_uri": "urn:request:1"}
    [fetch] = provider.fetches("/par")
    assert dict(parse_qsl(fetch.body.decode()))["nonce"] == NONCE


def test_pushing_that_is_only_offered_is_not_done() -> None:
    offered = {"pushed_authorization_request_endpoint": f"{ISSUER}/par"}
    provider = Provider(changes={"metadata": offered})
    assert parameters_of(begin(provider))["state"] == STATE
    assert provider.fetches("/par") == []


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (FetchFailed(reason="not-connected"), 503, "provider-unreachable"),
        (FetchFailed(reason="timed-out"), 502, "provider-answer-unusable"),
        (json_answer({"error": "invalid_client"}, 401), 502, "client-refused"),
        (json_answer({"request_uri": 7}, 201), 502, "provider-answer-unusable"),
        (json_answer({"request_uri": "a b"}, 201), 502, "provider-answer-unusable"),
        (json_answer(b"<html>", 200), 502, "provider-answer-unusable"),
        (json_answer({}, 302), 502, "provider-answer-unusable"),
        (json_answer({}, 503), 503, "provider-too-busy"),
    ],
)
def test_a_push_that_fails_begins_no_login(answer: Any, status: int, reason: str) -> None:
    provider = Provider(
        changes={
            "metadata": {
                "require_pushed_authorization_requests": True,
                "pushed_authorization_request_endpoint": f"{ISSUER}/par",
            }
        },
        answers={"/par": answer},
    )
    refused = begin(provider)
    assert isinstance(refused, LoginRefused)
    assert (refused.status_code, refused.reason) == (status, reason)


def test_a_provider_without_pkce_is_warned_of() -> None:
    provider = Provider(changes={"metadata": {"code_challenge_methods_supported": ["plain"]}})
    exchange = exchanges.exchange()
    url = provider.play(PROTOCOL.begin(settings(), exchange, challenge()))
    assert parameters_of(url)["code_challenge_method"] == "S256"
    assert len(exchange.warnings) == 1


def test_a_login_gives_a_person_tokens_and_what_renewals_go_by() -> None:
    provider = Provider()
    outcome = log_in(provider)
    assert isinstance(outcome, LoggedIn)
    person = outcome.person
    assert (person.subject, person.email) == (USER, "robin@example.com")
    assert (person.name, person.username) == ("Robin Example", "robin")
    assert person.claims["iss"] == ISSUER
    assert "nonce" not in person.claims
    assert outcome.tokens.access_token in provider.given
    assert outcome.tokens.refresh_token in provider.refresh_tokens
    assert outcome.tokens.id_token in provider.given
    assert outcome.tokens.expires_ns == exchanges.NOON_NS + 300 * 10**9
    assert outcome.provider_session == "sid-9"
    assert outcome.details == {"auth_time": NOON_S - 5, "nonce_digest": digest(NONCE)}


def test_calls_are_bounded_and_shorter_than_a_lease() -> None:
    provider = Provider()
    log_in(provider)
    fetches = [each for each in provider.asked if isinstance(each, Fetch)]
    assert len(fetches) == 2
    assert all(each.timeout_s <= 10 and each.limit_bytes <= 256 * 1024 for each in fetches)
    assert all(each.is_host_trusted for each in fetches)


def test_a_client_may_have_to_post_its_secret() -> None:
    methods = {"token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"]}
    provider = Provider(changes={"metadata": methods})
    assert isinstance(log_in(provider), LoggedIn)
    [fetch] = provider.fetches("/token")
    assert "Authorization" not in dict(fetch.headers)


def test_a_provider_without_userinfo_is_not_asked_for_it() -> None:
    claims = {"email": "a@example.com", "email_verified": True}
    provider = Provider(changes={"metadata": {"userinfo_endpoint": ...}, "id_token": claims})
    outcome = log_in(provider)
    assert isinstance(outcome, LoggedIn)
    assert outcome.person.email == "a@example.com"


@pytest.mark.parametrize(
    "signer",
    [
        Signer("PS512", rsa_key()),
        Signer("ES256", ec_key()),
        Signer("ES384", ec_key("P-384")),
        Signer("EdDSA", ed_key()),
    ],
    ids=lambda signer: signer.alg,
)
def test_every_algorithm_with_a_public_key_is_fine(signer: Signer) -> None:
    provider = Provider(signer=signer, keys=[signer], changes={"id_token": {"at_hash": ...}})
    assert isinstance(log_in(provider), LoggedIn)


def test_a_key_that_is_new_is_looked_for_once() -> None:
    new = Signer("RS256", rsa_key(1), kid="k2")
    provider = Provider(signer=new, keys=[RS256], newer_keys=[RS256, new])
    assert isinstance(log_in(provider), LoggedIn)


def test_max_age_and_acr_are_checked_where_the_policy_asks() -> None:
    config = settings(authz_url_params={"max_age": "60", "acr_values": "gold silver"})
    provider = Provider(changes={"id_token": {"acr": "silver", "auth_time": NOON_S - 100}})
    assert isinstance(log_in(provider, config), LoggedIn)


def test_other_audiences_that_the_policy_trusts_are_fine() -> None:
    changes = {"aud": [CLIENT_ID, "api"], "azp": CLIENT_ID}
    provider = Provider(changes={"id_token": changes})
    assert isinstance(log_in(provider, settings(trusted_audiences=["api"])), LoggedIn)


def test_the_provider_logs_out_too() -> None:
    provider = Provider()
    logged_in = log_in(provider)
    farewell = Farewell(return_to="https://orders.example.com/ngrok/logout", state="bye")
    session = session_of(logged_in)
    exchange = exchanges.exchange()
    url = provider.play(PROTOCOL.end(settings(), exchange, session, farewell))
    assert isinstance(url, str)
    assert url.startswith(f"{ISSUER}/logout?")
    assert parameters_of(url) == {
        "id_token_hint": session.tokens.id_token,
        "client_id": CLIENT_ID,
        "post_logout_redirect_uri": farewell.return_to,
        "state": "bye",
    }
    without = Provider(changes={"metadata": {"end_session_endpoint": ...}})
    assert without.play(PROTOCOL.end(settings(), exchange, session, farewell)) is None
    down = Provider(down={"/.well-known/openid-configuration"})
    assert down.play(PROTOCOL.end(settings(), exchange, session, farewell)) is None


def test_a_hint_that_makes_the_address_too_long_is_left_out() -> None:
    provider = Provider()
    session = session_of(log_in(provider), tokens=Tokens(id_token="x" * 5000))
    farewell = Farewell(return_to="https://orders.example.com/", state="bye")
    url = provider.play(PROTOCOL.end(settings(), exchanges.exchange(), session, farewell))
    assert isinstance(url, str)
    assert "id_token_hint" not in parameters_of(url)


def test_a_configuration_names_its_provider_and_what_was_agreed() -> None:
    exchange = exchanges.exchange()
    assert PROTOCOL.provider(settings(), exchange) == ("login.example.com", ISSUER)
    assert PROTOCOL.client_id(settings()) == CLIENT_ID
    assert PROTOCOL.agreed(settings()) == PROTOCOL.agreed(settings(client_secret="new"))
    assert PROTOCOL.agreed(settings()) != PROTOCOL.agreed(settings(scopes=["openid", "groups"]))
    assert "s3cr3t" not in PROTOCOL.agreed(settings()) + repr(settings())


# --- bad habits ------------------------------------------------------------------------------


def refused_with(outcome: Any) -> tuple[int, str]:
    assert isinstance(outcome, LoginRefused), outcome
    assert outcome.error_code.startswith("ERR_NGROK_3")
    assert (outcome.retry_after_s is not None) == (outcome.status_code == 503)
    return outcome.status_code, outcome.reason


CALLBACKS: dict[str, tuple[Callable[[dict[str, str]], dict[str, str]], int, str]] = {
    "OA-4 another issuer": (
        lambda back: {**back, "iss": "https://evil.example"}, 400, "callback-of-other-issuer",
    ),
    "OA-4 the issuer with a slash": (
        lambda back: {**back, "iss": f"{ISSUER}/"}, 400, "callback-of-other-issuer",
    ),
    "OA-4 no issuer although announced": (
        lambda back: {"code": back["code"], "state": STATE}, 400, "callback-of-other-issuer",
    ),
    "D2-12 another issuer's error": (
        lambda _: {"error": "access_denied", "iss": "https://evil.example"},
        400, "callback-of-other-issuer",
    ),
    "D2-12 denied": (lambda _: {"error": "access_denied", "iss": ISSUER}, 403, "login-denied"),
    "D2-12 denied, with a code": (
        lambda back: {**back, "error": "access_denied"}, 403, "login-denied",
    ),
    "OA-19 markup": (
        lambda back: {**back, "error": "<script>", "error_description": f"<b>{back['code']}</b>"},
        502, "provider-error",
    ),
    "no code": (lambda _: {"state": STATE, "iss": ISSUER}, 400, "code-missing"),
    "a code that can't be one": (lambda back: {**back, "code": "a\nb"}, 400, "code-missing"),
    "an endless code": (lambda back: {**back, "code": "a" * 5000}, 400, "code-missing"),
}  # fmt: skip


@pytest.mark.parametrize("case", CALLBACKS.values(), ids=CALLBACKS)
def test_an_answer_that_is_refused_before_the_provider_is_asked(case: Any) -> None:
    back, status, reason = case
    provider = Provider()
    outcome = log_in(provider, back=back)
    assert refused_with(outcome) == (status, reason)
    assert provider.fetches("/token") == []
    assert "<" not in getattr(outcome, "detail", "").partition(":")[0]


def test_an_issuer_that_is_sent_without_being_announced_is_compared_all_the_same() -> None:
    changes = {"metadata": {"authorization_response_iss_parameter_supported": ...}}
    provider = Provider(changes=changes)
    assert isinstance(log_in(provider), LoggedIn)
    without = log_in(provider, back=lambda back: {"code": back["code"], "state": STATE})
    assert isinstance(without, LoggedIn)
    outcome = log_in(provider, back=lambda back: {**back, "iss": "https://evil.example"})
    assert refused_with(outcome) == (400, "callback-of-other-issuer")


TOKEN_ANSWERS: dict[str, tuple[Any, int, str]] = {
    "OA-8 200 with an error": (
        json_answer({"error": "server_error"}), 502, "provider-answer-unusable",
    ),
    "OA-8 200 with an error and tokens": (
        json_answer({"error": "x", "access_token": "a", "token_type": "Bearer"}),
        502, "provider-answer-unusable",
    ),
    "OA-8 HTML": (Fetched(status_code=200, body=b"<html>"), 502, "provider-answer-unusable"),
    "OA-8 form": (
        Fetched(status_code=200, body=b"access_token=a&token_type=bearer"),
        502, "provider-answer-unusable",
    ),
    "OA-8 302": (
        Fetched(status_code=302, headers=(("Location", "https://evil.example/"),)),
        502, "provider-answer-unusable",
    ),
    "OA-8 stall": (FetchFailed(reason="timed-out"), 502, "provider-answer-unusable"),
    "OA-8 50 MB": (FetchFailed(reason="answer-too-large"), 502, "provider-answer-unusable"),
    "gzip": (FetchFailed(reason="answer-encoded"), 502, "provider-answer-unusable"),
    "nobody there": (FetchFailed(reason="not-connected"), 503, "provider-unreachable"),
    "500": (Fetched(status_code=500, body=b"oops"), 502, "provider-answer-unusable"),
    "500 with an error in JSON": (
        json_answer({"error": "invalid_grant"}, 500), 502, "provider-answer-unusable",
    ),
    "429": (
        Fetched(status_code=429, headers=(("Retry-After", "7"),)), 503, "provider-too-busy",
    ),
    "a member twice": (
        json_answer(b'{"access_token":"a","access_token":"b","token_type":"Bearer"}'),
        502, "provider-answer-unusable",
    ),
    "a list": (json_answer([]), 502, "provider-answer-unusable"),
    "code used": (json_answer({"error": "invalid_grant"}, 400), 400, "code-refused"),
    "client": (json_answer({"error": "invalid_client"}, 401), 502, "client-refused"),
    "scope": (json_answer({"error": "invalid_scope"}, 400), 502, "scope-refused"),
    "other error": (json_answer({"error": "no_idea"}, 400), 502, "provider-error"),
    "an error that is no text": (json_answer({"error": ["x"]}, 400), 502, "provider-error"),
}  # fmt: skip


@pytest.mark.parametrize("case", TOKEN_ANSWERS.values(), ids=TOKEN_ANSWERS)
def test_a_token_answer_that_gives_no_session(case: Any) -> None:
    answer, status, reason = case
    provider = Provider(answers={"/token": answer})
    assert refused_with(log_in(provider)) == (status, reason)
    assert len(provider.fetches("/token")) == 1
    assert provider.fetches("/userinfo") == []


def test_what_a_provider_repeats_of_our_secrets_is_not_shown() -> None:
    def repeating(answer: Fetched) -> Fetched:
        text = " ".join([*provider.given, VERIFIER, settings().client_secret, "was sent"])
        return json_answer({"error": "invalid_grant", "error_description": text}, 400)

    provider = Provider(answers={"/token": repeating})
    outcome = log_in(provider)
    assert refused_with(outcome) == (400, "code-refused")
    assert isinstance(outcome, LoginRefused)
    assert outcome.detail.endswith("was sent")


TOKENS: dict[str, tuple[dict[str, Any], int, str]] = {
    "OA-8 token_type mac": ({"token_type": "mac"}, 502, "provider-answer-unusable"),
    "no token_type": ({"token_type": ...}, 502, "provider-answer-unusable"),
    "no access_token": ({"access_token": ...}, 502, "provider-answer-unusable"),
    "an access_token for a header of its own": (
        {"access_token": "a\r\nX: 1"}, 502, "provider-answer-unusable",
    ),
    "an endless access_token": ({"access_token": "a" * 20_000}, 502, "provider-answer-unusable"),
    "a refresh_token that is a number": ({"refresh_token": 7}, 502, "provider-answer-unusable"),
    "expires_in below zero": ({"expires_in": -1}, 502, "provider-answer-unusable"),
    "expires_in true": ({"expires_in": True}, 502, "provider-answer-unusable"),
    "OA-8 no id_token": ({"id_token": ...}, 502, "id-token-rejected"),
    "id_token empty": ({"id_token": ""}, 502, "id-token-rejected"),
    "id_token an object": ({"id_token": {}}, 502, "provider-answer-unusable"),
    "id_token no token": ({"id_token": "a.b"}, 502, "id-token-rejected"),
    "JW-15 id_token of 17 kB": ({"id_token": "a" * 17_000}, 502, "provider-answer-unusable"),
}  # fmt: skip


@pytest.mark.parametrize("case", TOKENS.values(), ids=TOKENS)
def test_tokens_that_give_no_session(case: Any) -> None:
    changes, status, reason = case
    provider = Provider(changes={"token": changes})
    assert refused_with(log_in(provider)) == (status, reason)


@pytest.mark.parametrize("kind", ["bearer", "BEARER", "Bearer"])
def test_the_token_type_has_no_case(kind: str) -> None:
    assert isinstance(log_in(Provider(changes={"token": {"token_type": kind}})), LoggedIn)


ID_TOKENS: dict[str, tuple[dict[str, Any], int, str]] = {
    "D2-15 other issuer": ({"iss": "https://evil.example"}, 502, "iss"),
    "D2-15 issuer with a slash": ({"iss": f"{ISSUER}/"}, 502, "iss"),
    "D2-15 no issuer": ({"iss": ...}, 502, "iss"),
    "D2-16 other audience": ({"aud": "other"}, 502, "aud"),
    "D2-16 other audience, azp us": ({"aud": "other", "azp": CLIENT_ID}, 502, "aud"),
    "D2-16 no audience": ({"aud": ...}, 502, "aud"),
    "D2-16 audience in other case": ({"aud": CLIENT_ID.upper()}, 502, "aud"),
    "D2-16 audience with a number": ({"aud": [CLIENT_ID, 7]}, 502, "aud"),
    "D2-16 no audience in a list": ({"aud": []}, 502, "aud"),
    "D2-16 several audiences": ({"aud": [CLIENT_ID, "other"]}, 502, "aud"),
    "D2-16 several audiences with azp": (
        {"aud": [CLIENT_ID, "other"], "azp": CLIENT_ID}, 502, "aud",
    ),
    "D2-16 trusted audience without azp": ({"aud": [CLIENT_ID, "trusted"]}, 502, "azp"),
    "D2-16 other azp": ({"azp": "other"}, 502, "azp"),
    "D2-16 azp null": ({"azp": None}, 502, "azp"),
    "D2-17 expired": ({"exp": NOON_S - 61}, 502, "exp"),
    "D2-17 no exp": ({"exp": ...}, 502, "exp"),
    "D2-17 exp a text": ({"exp": str(NOON_S + 300)}, 502, "exp"),
    "D2-17 exp absurd": ({"exp": 1e300}, 502, "exp"),
    "D2-17 exp true": ({"exp": True}, 502, "exp"),
    "D2-17 no iat": ({"iat": ...}, 502, "iat"),
    "D2-17 iat in the future": ({"iat": NOON_S + 61}, 502, "iat"),
    "D2-17 iat long ago": ({"iat": NOON_S - 700}, 502, "iat"),
    "JW-11 nbf in the future": ({"nbf": NOON_S + 61}, 502, "nbf"),
    "JW-11 nbf a text": ({"nbf": "1"}, 502, "nbf"),
    "D2-19 other at_hash": ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, 502, "at_hash"),
    "D2-19 at_hash a number": ({"at_hash": 7}, 502, "at_hash"),
    "D2-22 no sub": ({"sub": ...}, 502, "sub"),
    "D2-22 sub empty": ({"sub": ""}, 502, "sub"),
    "D2-22 sub a number": ({"sub": 7}, 502, "sub"),
    "D2-22 sub of 256 characters": ({"sub": "a" * 256}, 502, "sub"),
    "D2-22 sub beyond ASCII": ({"sub": "us\u00e9r"}, 502, "sub"),
    "D2-22 sub with a control": ({"sub": "user\n7"}, 502, "sub"),
    "sid a number": ({"sid": 7}, 502, "sid"),
    "OA-6 no nonce": ({"nonce": ...}, 400, "nonce"),
    "OA-6 nonce null": ({"nonce": None}, 400, "nonce"),
    "OA-6 nonce empty": ({"nonce": ""}, 400, "nonce"),
    "OA-6 other nonce": ({"nonce": NONCE[:-1]}, 400, "nonce"),
    "OA-3 a token that switches the nonce off": (
        {"nonce": ..., "nonce_supported": False}, 400, "nonce",
    ),
    "D2-20 no auth_time": ({"auth_time": ...}, 403, "auth_time"),
    "D2-20 auth_time too long ago": ({"auth_time": NOON_S - 121}, 403, "auth_time"),
    "D2-20 auth_time a text": ({"auth_time": str(NOON_S)}, 403, "auth_time"),
    "D2-21 other acr": ({"acr": "bronze"}, 403, "acr"),
    "D2-21 no acr": ({"acr": ...}, 403, "acr"),
    "D2-21 acr a list": ({"acr": ["gold"]}, 403, "acr"),
}  # fmt: skip

STRICT = settings(
    authz_url_params={"max_age": "60", "acr_values": "gold"}, trusted_audiences=["trusted"]
)


@pytest.mark.parametrize("case", ID_TOKENS.values(), ids=ID_TOKENS)
def test_an_id_token_that_gives_no_session(case: Any) -> None:
    changes, status, claim = case
    provider = Provider(changes={"id_token": {"acr": "gold", **changes}})
    outcome = log_in(provider, STRICT)
    assert refused_with(outcome)[0] == status
    assert isinstance(outcome, LoginRefused)
    assert outcome.detail.startswith(f"the ID token: {claim}: ")
    assert provider.fetches("/userinfo") == []


def test_the_leeway_is_a_minute() -> None:
    changes = {"exp": NOON_S - 59, "iat": NOON_S + 60, "nbf": NOON_S + 60}
    assert isinstance(log_in(Provider(changes={"id_token": changes})), LoggedIn)


def test_without_a_nonce_of_our_own_nobody_gets_in() -> None:
    outcome = log_in(Provider(changes={"id_token": {"nonce": ""}}), nonce_digest="")
    assert refused_with(outcome) == (400, "nonce-mismatch")


SIGNERS: dict[str, Provider] = {
    "OA-5 none": Provider(changes={"header": {"alg": "none"}}),
    "JW-1 None": Provider(changes={"header": {"alg": "None"}}),
    "JW-1 no alg": Provider(changes={"header": {"alg": ...}}),
    "JW-1 alg a list": Provider(changes={"header": {"alg": ["RS256"]}}),
    "OA-5 HS256 with our secret": Provider(
        signer=Signer("HS256", settings().client_secret.encode())
    ),
    "JW-3 a key in the header": Provider(signer=OTHER, changes={"header": {"jwk": OTHER.jwk}}),
    "JW-3 the URL of a key set": Provider(
        signer=OTHER, changes={"header": {"jku": "https://evil.example/jwks"}}
    ),
    "another key": Provider(signer=OTHER),
    "another kid": Provider(changes={"header": {"kid": "../../etc/passwd"}}),
    "JW-7 crit": Provider(changes={"header": {"crit": ["b64"], "b64": False}}),
    "JW-13 an access token": Provider(changes={"header": {"typ": "at+jwt"}}),
    "JW-13 a logout token": Provider(changes={"header": {"typ": "logout+jwt"}}),
}


@pytest.mark.parametrize("provider", SIGNERS.values(), ids=SIGNERS)
def test_a_signature_that_gives_no_session(provider: Provider) -> None:
    assert refused_with(log_in(provider)) == (502, "id-token-rejected")
    assert all("evil" not in each.url for each in provider.asked if hasattr(each, "url"))


def test_a_code_is_good_for_once_and_for_the_browser_that_asked() -> None:
    provider = Provider()
    stolen: dict[str, str] = {}

    def steal(back: dict[str, str]) -> dict[str, str]:
        stolen.update(back)
        return back

    assert isinstance(log_in(provider, back=steal), LoggedIn)
    assert refused_with(log_in(provider, back=lambda _: stolen)) == (400, "code-refused")
    outcome = log_in(provider, verifier="x" * 43)
    assert refused_with(outcome) == (400, "code-refused")
    outcome = log_in(provider, redirect_uri="https://evil.example/")
    assert refused_with(outcome) == (400, "code-refused")


def test_a_code_that_another_browser_was_given_has_another_nonce() -> None:
    outcome = log_in(Provider(), nonce_digest=digest("of another login"))
    assert refused_with(outcome) == (400, "nonce-mismatch")


USERINFOS: dict[str, tuple[Any, int, str]] = {
    "OA-6 another user": (
        json_answer({"sub": "user-8", "email": "a@b.c"}), 502, "userinfo-of-other-user",
    ),
    "no sub": (json_answer({"email": "a@b.c"}), 502, "userinfo-of-other-user"),
    "sub a number": (json_answer({"sub": 7}), 502, "userinfo-of-other-user"),
    "a list": (json_answer([{"sub": USER}]), 502, "provider-answer-unusable"),
    "HTML": (Fetched(status_code=200, body=b"<html>"), 502, "provider-answer-unusable"),
    "signed": (
        Fetched(status_code=200, headers=(("content-type", "application/jwt"),), body=b"a.b.c"),
        502, "provider-answer-unusable",
    ),
    "refused": (json_answer({"error": "invalid_token"}, 401), 502, "provider-answer-unusable"),
    "a redirect": (Fetched(status_code=302), 502, "provider-answer-unusable"),
    "500": (Fetched(status_code=500), 502, "provider-answer-unusable"),
    "503": (Fetched(status_code=503), 503, "provider-too-busy"),
    "stall": (FetchFailed(reason="timed-out"), 502, "provider-answer-unusable"),
    "nobody there": (FetchFailed(reason="not-connected"), 503, "provider-unreachable"),
}  # fmt: skip


@pytest.mark.parametrize("case", USERINFOS.values(), ids=USERINFOS)
def test_userinfo_that_gives_no_session(case: Any) -> None:
    answer, status, reason = case
    assert refused_with(log_in(Provider(answers={"/userinfo": answer}))) == (status, reason)


def test_userinfo_never_speaks_for_the_token() -> None:
    said = {"iss": "https://evil.example", "acr": "gold", "sid": "x", "groups": ["a"]}
    outcome = log_in(Provider(changes={"userinfo": said}))
    assert isinstance(outcome, LoggedIn)
    claims = outcome.person.claims
    assert (claims["iss"], claims["sid"], claims["groups"]) == (ISSUER, "sid-9", ["a"])
    assert "acr" not in claims


# --- a provider that is away -----------------------------------------------------------------


def test_a_provider_that_is_down_is_tried_again_later() -> None:
    provider = Provider(down={"/.well-known/openid-configuration"})
    refused = begin(provider)
    assert refused_with(refused) == (503, "metadata-unavailable")
    provider.down.clear()
    assert isinstance(begin(provider), str)


def test_metadata_that_fail_in_the_middle_of_a_login_end_it() -> None:
    provider = Provider()

    def away(back: dict[str, str]) -> dict[str, str]:
        provider.down.add("/.well-known/openid-configuration")
        return back

    assert refused_with(log_in(provider, back=away)) == (503, "metadata-unavailable")


def test_keys_that_can_not_be_had_are_no_reason_to_believe_a_token() -> None:
    provider = Provider(down={"/jwks"})
    assert refused_with(log_in(provider)) == (503, "keys-unavailable")


def test_metadata_out_of_order_are_not_worth_a_second_try() -> None:
    provider = Provider(changes={"metadata": {"issuer": "https://evil.example"}})
    assert refused_with(begin(provider)) == (502, "metadata-rejected")
