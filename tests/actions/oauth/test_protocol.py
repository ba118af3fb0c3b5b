"""Each provider's login from beginning to end, the other side played from a script."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from actions.login.protocol import Ended, Farewell, Kept, LoggedIn, LoginRefused
from actions.oauth.protocol import PROTOCOL
from actions.oauth.providers import PROVIDERS
from actions.oauth.settings import Config
from policy.effect import FetchFailed
from policy.oauth_endpoints import OauthEndpoints
from tests import exchanges
from tests.actions.oauth.accounts import ACCOUNTS
from tests.actions.oauth.scripts import (
    CALLBACK,
    CHALLENGE,
    CLIENT_ID,
    SECRET,
    STATE,
    TOKEN,
    VERIFIER,
    Script,
    answer,
    exchange,
    grant,
    session,
    settings,
)

EVERY = pytest.mark.parametrize("name", sorted(PROVIDERS))
WITH_CHECK = pytest.mark.parametrize(
    "name", sorted(name for name, account in ACCOUNTS.items() if account.check)
)
OVER_NS = exchanges.NOON_NS - 1


def script(name: str, **changes: Any) -> Script:
    account = ACCOUNTS[name]
    keys = {"tokens": account.tokens, "check": account.check, "about": account.about}
    changed = {keys.get(key, key): value for key, value in changes.items()}
    return Script({**account.answers, **changed})


def begun(config: Config, *, force: bool = False) -> dict[str, str]:
    url = Script({}).play(PROTOCOL.begin(config, exchange(), replace(CHALLENGE, force=force)))
    assert url.startswith(config.chosen_provider.endpoints.authorization_url + "?")
    parameters = parse_qs(urlsplit(url).query, strict_parsing=True)
    assert all(len(values) == 1 for values in parameters.values())
    return {key: values[0] for key, values in parameters.items()}


@EVERY
def test_a_login_begins_with_what_binds_it(name: str) -> None:
    parameters = begun(settings(name))
    assert parameters["response_type"] == "code"
    assert parameters["client_id"] == CLIENT_ID
    assert parameters["redirect_uri"] == CALLBACK
    assert parameters["state"] == STATE
    assert set(PROVIDERS[name].scopes) <= set(parameters["scope"].split())
    is_pkce = name != "linkedin"
    assert (parameters.get("code_challenge_method") == "S256") is is_pkce
    assert ("code_challenge" in parameters) is is_pkce
    assert SECRET not in repr(parameters)


@EVERY
def test_a_login_ends_with_who_it_is(name: str) -> None:
    account, played = ACCOUNTS[name], script(name)
    logged_in = played.finish(settings(name))
    assert isinstance(logged_in, LoggedIn)
    assert logged_in.person == account.person
    assert logged_in.tokens.access_token == TOKEN
    # An ID token of which nothing was verified is none.
    assert logged_in.tokens.id_token == ""
    exchanged = played.asked[0]
    form = parse_qs(exchanged.body.decode(), strict_parsing=True)
    assert form["grant_type"] == ["authorization_code"]
    assert form["code"] == ["code-1"]
    assert form["redirect_uri"] == [CALLBACK]
    assert form.get("code_verifier") == (None if name == "linkedin" else [VERIFIER])
    # The secret is sent to the token endpoint in one way, and to no API for users.
    has_basic = any(field == "Authorization" for field, _ in exchanged.headers)
    assert has_basic is (name == "gitlab")
    assert ("client_secret" in form) is not has_basic
    about = next(each for each in played.asked if ACCOUNTS[name].about.endswith(_plain(each.url)))
    assert SECRET not in repr(about)
    assert ("authorization", f"Bearer {TOKEN}") in about.headers


def _plain(url: str) -> str:
    return url.partition("?")[0]


FORCED = {
    "amazon": {},
    "facebook": {"auth_type": "reauthenticate"},
    "github": {"prompt": "select_account"},
    "gitlab": {"prompt": "login"},
    "google": {"prompt": "select_account"},
    "linkedin": {},
    "microsoft": {"prompt": "login"},
    "twitch": {"force_verify": "true"},
}


@EVERY
def test_a_forced_login_asks_again_where_the_provider_can(name: str) -> None:
    usual, forced = begun(settings(name)), begun(settings(name), force=True)
    changed = {key: value for key, value in forced.items() if usual.get(key) != value}
    assert changed == FORCED[name]


def test_a_policys_own_prompt_remains_when_a_login_is_forced() -> None:
    config = settings("microsoft", authz_url_params={"prompt": "consent", "domain_hint": "x"})
    assert begun(config)["prompt"] == "consent"
    assert begun(config, force=True)["prompt"] == "login consent"
    assert begun(config, force=True)["domain_hint"] == "x"
    silent = settings("microsoft", authz_url_params={"prompt": "none"})
    assert begun(silent, force=True)["prompt"] == "login"


def test_a_refresh_token_is_asked_for_where_it_is_needed() -> None:
    asking_again = {"userinfo_refresh_interval": "1h"}
    google = begun(settings("google", **asking_again))
    assert (google["access_type"], google["prompt"]) == ("offline", "consent")
    assert "access_type" not in begun(settings("google"))
    assert "offline_access" in begun(settings("microsoft", **asking_again))["scope"]
    assert "offline_access" not in begun(settings("microsoft"))["scope"]


def test_declined_permissions_are_asked_for_again() -> None:
    assert begun(settings("facebook"))["auth_type"] == "rerequest"


@WITH_CHECK
def test_a_token_of_another_client_is_no_login(name: str) -> None:
    """D2-25: token substitution."""
    account = ACCOUNTS[name]
    text = json.dumps(account.answers[account.check]).replace(CLIENT_ID, "client-of-mallory")
    other = answer(text.encode())
    refused = script(name, check=other).finish(settings(name))
    assert isinstance(refused, LoginRefused)
    assert (refused.status_code, refused.reason) == (400, "token-of-other-client")
    assert refused.error_code == "ERR_NGROK_3151"


@WITH_CHECK
def test_nothing_about_the_user_is_asked_with_a_token_of_another_client(name: str) -> None:
    played = script(name, check=answer({"active": True, "data": {"is_valid": True}}))
    assert played.finish(settings(name)).reason == "token-of-other-client"
    assert len(played.asked) == 2


def test_a_token_that_github_does_not_know_as_ours_is_no_login() -> None:
    played = script("github", check=answer({"message": "Not Found"}, status=404))
    assert played.finish(settings("github")).reason == "token-of-other-client"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("facebook", {"data": {"app_id": CLIENT_ID, "is_valid": False}}),
        ("facebook", {"data": []}),
        ("linkedin", {"active": False, "client_id": CLIENT_ID}),
        ("linkedin", {"active": "true", "client_id": CLIENT_ID}),
    ],
)
def test_a_token_that_is_over_is_no_login(name: str, content: Any) -> None:
    refused = script(name, check=answer(content)).finish(settings(name))
    assert (refused.status_code, refused.reason) == (502, "token-refused")


API_FAULTS: dict[str, tuple[Any, int, str, str]] = {
    "nobody there": (
        FetchFailed(reason="not-connected"), 503, "provider-unreachable", "ERR_NGROK_3160",
    ),
    "too slow": (
        FetchFailed(reason="timed-out"), 502, "provider-answer-unusable", "ERR_NGROK_3112",
    ),
    "error of its own": (answer({}, status=500), 502, "provider-answer-unusable", "ERR_NGROK_3112"),
    "overloaded": (answer({}, status=503), 503, "provider-too-busy", "ERR_NGROK_3161"),
    "too many requests": (answer({}, status=429), 503, "provider-too-busy", "ERR_NGROK_3161"),
    "rate limit by 403": (
        answer({}, status=403, headers={"X-RateLimit-Remaining": "0"}), 503, "provider-too-busy",
        "ERR_NGROK_3161",
    ),
    "redirect": (answer({}, status=302), 502, "provider-answer-unusable", "ERR_NGROK_3112"),
    "not the token": (answer({}, status=401), 502, "token-refused", "ERR_NGROK_3151"),
    "scope missing": (answer({}, status=403), 403, "permission-missing", "ERR_NGROK_3101"),
    "HTML": (answer(b"<html>"), 502, "provider-answer-unusable", "ERR_NGROK_3112"),
    "nothing": (answer(b""), 502, "provider-answer-unusable", "ERR_NGROK_3112"),
    "a list": (answer([]), 502, "provider-answer-unusable", "ERR_NGROK_3112"),
    "an empty object": (answer({}), 502, "provider-answer-unusable", "ERR_NGROK_3112"),
    "a member twice": (
        answer(b'{"sub":"1","sub":"2","id":1,"id":2}'), 502, "provider-answer-unusable",
        "ERR_NGROK_3112",
    ),
}  # fmt: skip


@EVERY
@pytest.mark.parametrize("fault", API_FAULTS)
def test_an_api_that_fails_gives_no_login(name: str, fault: str) -> None:
    reply, status, reason, code = API_FAULTS[fault]
    refused = script(name, about=reply).finish(settings(name))
    assert isinstance(refused, LoginRefused)
    assert (refused.status_code, refused.reason, refused.error_code) == (status, reason, code)
    assert (refused.retry_after_s is not None) is (status == 503)
    for secret in (SECRET, TOKEN, "code-1", VERIFIER):
        assert secret not in repr(refused)


@EVERY
@pytest.mark.parametrize("subject", [None, "", True, "a b", "x" * 256, "é", {}, 1.5])
def test_a_user_without_a_usable_id_is_nobody(name: str, subject: Any) -> None:
    account = ACCOUNTS[name]
    about = account.answers[account.about]
    user = about["data"][0] if name == "twitch" else about
    key = next(each for each in ("sub", "user_id", "id") if each in user)
    changed = {**user, key: subject}
    reply = answer({"data": [changed]} if name == "twitch" else changed)
    assert script(name, about=reply).finish(settings(name)).reason == "provider-answer-unusable"


@pytest.mark.parametrize("name", ["google", "gitlab", "linkedin"])
@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_is_not_verified_is_none(name: str, verified: Any) -> None:
    """OA-7."""
    account = ACCOUNTS[name]
    about = answer({**account.answers[account.about], "email_verified": verified})
    logged_in = script(name, about=about).finish(settings(name))
    assert logged_in.person.email == ""
    assert logged_in.person.subject == account.person.subject


@pytest.mark.parametrize("name", ["amazon", "facebook"])
def test_where_nobody_says_that_addresses_are_verified_a_policy_can(name: str) -> None:
    assert script(name).finish(settings(name)).person.email == ""
    trusting = settings(name, accept_unverified_email=True)
    assert script(name).finish(trusting).person.email == "ada@example.com"


@pytest.mark.parametrize(
    "address",
    ["a@b@example.com", '"a"@example.com', "a\x00@example.com", "a b@example.com", "ada",
     "ada@exämple.com", "@example.com", "ada@", "ada@localhost", 7, ["a@example.com"]],
)  # fmt: skip
def test_an_address_that_reads_in_two_ways_is_none(address: Any) -> None:
    """OA-7."""
    about = {"sub": "1", "email": address, "email_verified": True}
    assert script("google", about=answer(about)).finish(settings("google")).person.email == ""


def test_what_a_provider_says_at_too_great_length_is_refused() -> None:
    about = {"sub": "1", "groups": ["x" * 100] * 1000}
    refused = script("gitlab", about=answer(about)).finish(settings("gitlab"))
    assert refused.reason == "provider-answer-unusable"


CALLBACKS: dict[str, tuple[dict[str, str], str]] = {
    "denied": ({"error": "access_denied", "state": STATE}, "login-denied"),
    "another issuer": ({"code": "c", "iss": "https://evil.example"}, "callback-of-other-issuer"),
    "an issuer that is none": ({"code": "c", "iss": "x"}, "callback-of-other-issuer"),
    "no code": ({"state": STATE}, "code-missing"),
}


@EVERY
@pytest.mark.parametrize("case", CALLBACKS)
def test_an_answer_that_is_not_the_providers_asks_nobody(name: str, case: str) -> None:
    """OA-4: the token endpoint is not called."""
    parameters, reason = CALLBACKS[case]
    played = Script({})
    assert played.finish(settings(name), parameters).reason == reason
    assert played.asked == []


@EVERY
def test_the_providers_own_issuer_is_accepted(name: str) -> None:
    url = urlsplit(PROVIDERS[name].endpoints.authorization_url)
    parameters = {"code": "c", "iss": f"{url.scheme}://{url.netloc}/some/tenant"}
    assert isinstance(script(name).finish(settings(name), parameters), LoggedIn)


TOKEN_FAULTS: dict[str, tuple[Any, int, str]] = {
    "used up": (answer({"error": "invalid_grant"}, status=400), 400, "code-refused"),
    "wrong secret": (answer({"error": "invalid_client"}, status=401), 502, "client-refused"),
    "no answer": (FetchFailed(reason="not-connected"), 503, "provider-unreachable"),
    "no token": (answer({"token_type": "bearer"}), 502, "provider-answer-unusable"),
}


@EVERY
@pytest.mark.parametrize("fault", TOKEN_FAULTS)
def test_without_a_token_nobody_is_asked_about_the_user(name: str, fault: str) -> None:
    reply, status, reason = TOKEN_FAULTS[fault]
    played = script(name, tokens=reply)
    refused = played.finish(settings(name))
    assert (refused.status_code, refused.reason) == (status, reason)
    assert len(played.asked) == 1


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        ("bad_verification_code", 400, "code-refused"),
        ("incorrect_client_credentials", 502, "client-refused"),
        ("redirect_uri_mismatch", 502, "redirect-uri-refused"),
    ],
)
def test_githubs_errors_come_with_200(error: str, status: int, reason: str) -> None:
    played = script("github", tokens=answer({"error": error, "error_description": "No."}))
    refused = played.finish(settings("github"))
    assert (refused.status_code, refused.reason) == (status, reason)


# --- renewal -----------------------------------------------------------------------------------


@EVERY
def test_a_renewal_asks_about_the_user_with_the_token_at_hand(name: str) -> None:
    config, played = settings(name), script(name)
    before = session(config, replace(ACCOUNTS[name].person, name="Before"))
    renewed = played.renew(config, before)
    assert isinstance(renewed, LoggedIn)
    assert renewed.person == ACCOUNTS[name].person
    assert renewed.tokens == before.tokens
    asked = {f"{each.method} {_plain(each.url)}" for each in played.asked}
    assert ACCOUNTS[name].tokens not in asked


REFRESHED = grant(access_token="token-2", refresh_token="r-2")


def refresh_script(**changes: Any) -> Script:
    return script("gitlab", **{"tokens": answer(REFRESHED), **changes})


def over(config: Config, **tokens: Any) -> Any:
    given = {"expires_ns": OVER_NS, "refresh_token": "r-1", **tokens}
    return session(config, ACCOUNTS["gitlab"].person, **given)


def test_a_token_that_is_over_is_refreshed_first() -> None:
    config, played = settings("gitlab"), refresh_script()
    renewed = played.renew(config, over(config))
    assert isinstance(renewed, LoggedIn)
    assert (renewed.tokens.access_token, renewed.tokens.refresh_token) == ("token-2", "r-2")
    assert parse_qs(played.asked[0].body.decode())["refresh_token"] == ["r-1"]
    assert played.header(2, "authorization") == "Bearer token-2"


def test_a_token_that_the_provider_refuses_is_refreshed() -> None:
    config = settings("gitlab")
    good = ACCOUNTS["gitlab"].answers[ACCOUNTS["gitlab"].check]
    played = refresh_script(check=[answer({}, status=401), answer(good)])
    renewed = played.renew(config, over(config, expires_ns=None))
    assert isinstance(renewed, LoggedIn)
    assert renewed.tokens.access_token == "token-2"


def test_new_tokens_are_kept_when_the_api_fails_after_a_refresh() -> None:
    """OA-14: the old refresh token is used up."""
    config, on = settings("gitlab"), exchange()
    played = refresh_script(about=FetchFailed(reason="not-connected"))
    renewed = played.renew(config, over(config), on)
    assert isinstance(renewed, LoggedIn)
    assert renewed.is_person_renewed is False
    assert renewed.person == ACCOUNTS["gitlab"].person
    assert renewed.tokens.refresh_token == "r-2"
    assert len(on.warnings) == 1


ENDINGS: dict[str, tuple[Any, str]] = {
    "refused": (answer({"error": "invalid_grant"}, status=400), "refresh-refused"),
    "refused without a word": (
        answer({"error": "Bad Request", "message": "Invalid refresh token"}, status=400),
        "refresh-refused",
    ),
}
GOING_ON: dict[str, Any] = {
    "nobody there": FetchFailed(reason="not-connected"),
    "too slow": FetchFailed(reason="timed-out"),
    "error of its own": answer({}, status=500),
    "our secret is wrong": answer({"error": "invalid_client"}, status=401),
    "overloaded": answer({}, status=503),
}


@pytest.mark.parametrize("case", ENDINGS)
def test_a_refused_refresh_ends_the_session(case: str) -> None:
    """OA-15."""
    config = settings("gitlab")
    reply, reason = ENDINGS[case]
    ended = refresh_script(tokens=reply).renew(config, over(config))
    assert ended == Ended(reason=reason, error_code="ERR_NGROK_3100")


@pytest.mark.parametrize("case", GOING_ON)
def test_a_refresh_that_nobody_answers_changes_nothing(case: str) -> None:
    """OA-15."""
    config = settings("gitlab")
    assert isinstance(refresh_script(tokens=GOING_ON[case]).renew(config, over(config)), Kept)


def test_a_token_that_is_over_and_can_not_be_refreshed_ends_the_session() -> None:
    config = settings("gitlab")
    ended = Script({}).renew(config, over(config, refresh_token=""))
    assert ended == Ended(reason="access-token-expired", error_code="ERR_NGROK_3100")


@EVERY
def test_an_api_that_fails_leaves_the_session_as_it_was(name: str) -> None:
    config = settings(name)
    played = script(name, about=FetchFailed(reason="timed-out"))
    assert isinstance(played.renew(config, session(config, ACCOUNTS[name].person)), Kept)


@EVERY
def test_a_permission_that_was_taken_back_ends_the_session(name: str) -> None:
    config = settings(name)
    played = script(name, about=answer({}, status=403))
    ended = played.renew(config, session(config, ACCOUNTS[name].person))
    assert ended == Ended(reason="permission-missing", error_code="ERR_NGROK_3101")


def test_another_user_ends_the_session_and_is_told_of() -> None:
    """OA-15."""
    config, on = settings("gitlab"), exchange()
    before = session(config, replace(ACCOUNTS["gitlab"].person, subject="8"))
    ended = script("gitlab").renew(config, before, on)
    assert ended == Ended(reason="renewal-of-other-user", error_code="ERR_NGROK_3100")
    assert on.warnings == ["login: session se_1: the provider names another user"]


# --- the rest ----------------------------------------------------------------------------------


@EVERY
def test_nobody_is_logged_out_at_the_provider(name: str) -> None:
    config = settings(name)
    farewell = Farewell(return_to="https://orders.example.com/", state="s")
    ending = PROTOCOL.end(config, exchange(), session(config, ACCOUNTS[name].person), farewell)
    assert Script({}).play(ending) is None


OWN = OauthEndpoints(
    authorization_url="https://git.example.com/oauth/authorize",
    tokens_url="https://git.example.com/oauth/token",
    api_url="https://git.example.com",
)


def test_an_instance_of_ones_own_is_asked_in_place_of_the_public_one() -> None:
    config, on = settings("gitlab"), exchange(gitlab=OWN)
    account = ACCOUNTS["gitlab"]
    moved = {
        key.replace("//gitlab.com", "//git.example.com"): value
        for key, value in account.answers.items()
    }
    played = Script(moved)
    assert isinstance(played.finish(config, on=on), LoggedIn)
    assert {urlsplit(each.url).netloc for each in played.asked} == {"git.example.com"}
    assert PROTOCOL.provider(config, on) == ("GitLab", "https://git.example.com")
    assert PROTOCOL.provider(config, exchange()) == ("GitLab", "https://gitlab.com")


CHANGES: dict[str, dict[str, Any]] = {
    "scopes": {"scopes": ["read_api"]},
    "parameters": {"authz_url_params": {"prompt": "consent"}},
    "client": {"client_id": "client-2"},
    "e-mail": {"accept_unverified_email": True},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_a_change_of_what_is_asked_makes_the_provider_be_asked_again(
    changes: dict[str, Any],
) -> None:
    assert PROTOCOL.agreed(settings("gitlab", **changes)) != PROTOCOL.agreed(settings("gitlab"))


def test_how_long_a_session_lasts_is_no_matter_of_the_providers() -> None:
    changed = settings("gitlab", max_session_duration="1h", idle_session_timeout="5m")
    assert PROTOCOL.agreed(changed) == PROTOCOL.agreed(settings("gitlab"))
