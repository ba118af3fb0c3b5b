"""Who is let in, who is sent to the login, and who is told that one is needed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from actions.login.protocol import LoginRefused
from actions.login.session import digest
from policy.exchange import Exchange
from policy.store import StoreUnavailable
from tests.actions.login.rig import (
    ALICE,
    NAVIGATION,
    PROVIDER,
    Browser,
    Ended,
    Kept,
    LoggedIn,
    Provider,
    Site,
    field_of,
    location,
    reason,
    status,
)

SCRIPT = (("Accept", "application/json"), ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty"))
SESSION_COOKIE = "__Host-ngrok.default.session"
NAMES = (SESSION_COOKIE, "__Host-ngrok.other.session", "__Secure-ngrok.default.session")


@pytest.fixture(autouse=True, params=["asked for", "at hand"])
def reading(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is the same, however records are read."""
    monkeypatch.setattr(Site, "has_records_at_hand", request.param == "at hand")


class DeadStore:
    """A store that can't be asked."""

    def answer(self, _effect: object) -> StoreUnavailable:
        return StoreUnavailable(reason="not-connected")


def test_a_page_leads_to_the_provider_and_back_to_itself() -> None:
    browser = Browser(Site())
    away = browser.get("/orders?page=2")
    assert (status(away), reason(away)) == (302, "login-required")
    assert location(away).startswith(f"{PROVIDER}/authorize?")
    back = browser.come_back()
    assert (status(back), location(back)) == (302, "/orders?page=2")
    assert status(browser.get("/orders?page=2")) == 200


def test_a_session_survives_any_number_of_requests_and_asks_nobody() -> None:
    browser = Browser(Site())
    browser.log_in()
    for _ in range(5):
        assert status(browser.get()) == 200
    assert browser.site.provider.renewals == 0


def test_a_decision_at_once_tells_what_it_rests_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Site, "has_records_at_hand", True)
    browser = Browser(Site())
    browser.log_in()
    kept: list[Exchange] = []
    assert status(browser.get(change=kept.append)) == 200
    assert kept[0].records == (("session", digest(browser.cookies[SESSION_COOKIE])),)


@pytest.mark.parametrize("config", ["auth_id: other", "auth_cookie_domain: example.com"])
def test_a_session_of_another_scope_is_not_at_hand(config: str) -> None:
    site = Site()
    browser = Browser(site)
    browser.log_in()
    secret = browser.cookies.pop(SESSION_COOKIE)
    other = Site(
        f"on_http_request: [{{actions: [{{type: test-login, config: {{{config}}}}}]}}]",
        store=site.store,
    )
    thief = Browser(other, cookies=dict.fromkeys(NAMES, secret))
    assert status(thief.get(headers=SCRIPT)) == 401


def results_of(browser: Browser) -> Any:
    kept: list[Exchange] = []
    browser.get(change=kept.append)
    (namespace,) = kept[0].results
    return kept[0].results[namespace]


def test_what_a_session_says_is_made_once_and_anew_when_it_changes() -> None:
    provider = Provider()
    browser = Browser(Site(provider=provider))
    browser.log_in()
    first = results_of(browser)
    assert results_of(browser) is first
    provider.agreed = "v2"
    provider.renewal = LoggedIn(person=replace(ALICE, name="Alice B."))
    renewed = results_of(browser)
    assert (renewed.identity.name, renewed.userinfo_refreshed) == ("Alice B.", True)
    after = results_of(browser)
    assert (after.identity.name, after.userinfo_refreshed) == ("Alice B.", False)
    assert first.identity.name == "Alice"


NOT_NAVIGATIONS = {
    "fetch": ("GET", SCRIPT),
    "form": ("POST", (("Accept", "text/html"),)),
    "image": ("GET", (("Accept", "image/*"), ("Sec-Fetch-Dest", "image"))),
    "xhr": ("GET", (("Accept", "*/*"), ("X-Requested-With", "XMLHttpRequest"))),
    "api": ("GET", (("Accept", "application/json"),)),
    "websocket": ("GET", (("Connection", "upgrade"), ("Upgrade", "websocket"))),
    "options": ("OPTIONS", NAVIGATION),
}


@pytest.mark.parametrize("shown", NOT_NAVIGATIONS.values(), ids=NOT_NAVIGATIONS)
def test_d2_38_what_is_no_navigation_gets_401(
    shown: tuple[str, tuple[tuple[str, str], ...]],
) -> None:
    method, headers = shown
    answer = Browser(Site()).ask(method, "/api?x=1", headers=headers)
    assert status(answer) == 401
    assert field_of(answer, "www-authenticate").startswith('Login realm="orders.example.com"')
    assert "https://orders.example.com/ngrok/login" in field_of(answer, "www-authenticate")
    assert location(answer) == ""
    assert "set-cookie" not in [name for name, _ in answer.response.headers]  # type: ignore[union-attr]


def test_a_program_reads_where_a_login_begins() -> None:
    answer = Browser(Site()).get("/api?x=1", headers=SCRIPT)
    content = json.loads(answer.response.body)  # type: ignore[union-attr]
    assert content["error"] == "login-required"
    url = "https://orders.example.com/ngrok/login?redirect_path=/api%3Fx%3D1"
    assert content["login_url"] == url


def test_a_client_that_shows_nothing_is_redirected_as_documented() -> None:
    assert status(Browser(Site()).get(headers=())) == 302


@pytest.mark.parametrize(
    ("mode", "headers", "expected"),
    [("401", NAVIGATION, 401), ("redirect", SCRIPT, 302), ("auto", NAVIGATION, 302)],
)
def test_unauthenticated_forces_either(
    mode: str, headers: tuple[tuple[str, str], ...], expected: int
) -> None:
    text = (
        "on_http_request: [{actions: [{type: test-login, config: "
        f"{{unauthenticated: '{mode}'}}}}]}}]"
    )
    assert status(Browser(Site(text)).get(headers=headers)) == expected


def test_oa_20_a_form_that_comes_too_late_is_told_so_and_goes_nowhere() -> None:
    browser = Browser(Site())
    browser.log_in()
    browser.site.pass_time(24 * 3600 + 60)
    answer = browser.ask("POST", "/orders", headers=(("Accept", "text/html"),), body=b"a=1")
    assert (status(answer), reason(answer)) == (401, "session-max-duration-reached")
    assert answer.upstream_request is None
    assert b"Sign in" in answer.response.body  # type: ignore[union-attr]


def test_preflights_pass_only_where_they_may() -> None:
    preflight = (("Origin", "https://a.example"), ("Access-Control-Request-Method", "PUT"))
    text = (
        "on_http_request: [{actions: [{type: test-login, config: {allow_cors_preflight: true}}]}]"
    )
    assert status(Browser(Site(text)).ask("OPTIONS", headers=preflight)) == 200
    assert status(Browser(Site(text)).ask("OPTIONS", headers=preflight[:1])) == 401
    assert status(Browser(Site()).ask("OPTIONS", headers=preflight)) == 401


def test_oa_21_a_session_ends_when_idle_and_at_its_end() -> None:
    text = (
        "on_http_request: [{actions: [{type: test-login, config: "
        "{idle_session_timeout: 10m, max_session_duration: 1h}}]}]"
    )
    browser = Browser(Site(text))
    browser.log_in()
    for _ in range(5):
        browser.site.pass_time(9 * 60)
        assert status(browser.get()) == 200
    browser.site.pass_time(9 * 60)
    assert status(browser.get()) == 200
    browser.site.pass_time(7 * 60)
    assert reason(browser.get()) == "session-max-duration-reached"

    idle = Browser(Site(text))
    idle.log_in()
    idle.site.pass_time(11 * 60)
    assert reason(idle.get()) == "session-timed-out"


def test_open_streams_do_not_keep_a_session_alive() -> None:
    text = "on_http_request: [{actions: [{type: test-login, config: {idle_session_timeout: 10m}}]}]"
    browser = Browser(Site(text))
    browser.log_in()

    def again(exchange: Exchange) -> None:
        exchange.is_readmission = True

    for _ in range(3):
        browser.site.pass_time(3 * 60)
        assert status(browser.get(change=again)) == 200
    browser.site.pass_time(2 * 60)
    assert status(browser.get(change=again)) == 401


def test_t_ws_4_what_a_session_lets_in_is_asked_about_again_within_seconds() -> None:
    browser = Browser(Site())
    browser.log_in()
    until_ns = browser.get().exchange.admitted_until_ns
    assert until_ns is not None
    assert 0 < until_ns - browser.site.now_ns <= 5_000_000_000


def test_t_ws_1_a_websocket_from_another_origin_is_refused() -> None:
    browser = Browser(Site())
    browser.log_in()
    upgrade = (("Connection", "upgrade"), ("Upgrade", "websocket"))
    foreign = browser.get(headers=(*upgrade, ("Origin", "https://evil.example")))
    assert (status(foreign), reason(foreign)) == (403, "websocket-cross-origin")
    own = (*upgrade, ("Origin", "https://orders.example.com"))
    assert status(browser.get(headers=own)) == 200
    assert status(browser.get(headers=upgrade)) == 200


def test_p1_without_its_store_nobody_gets_in() -> None:
    site = Site()
    browser = Browser(site)
    browser.log_in()
    site.store = DeadStore()
    answer = browser.get()
    assert (status(answer), reason(answer)) == (503, "store-unavailable")
    assert field_of(answer, "retry-after") == "5"
    assert answer.upstream_request is None
    assert status(Browser(site).get()) == 503


def test_a_provider_that_is_down_is_a_page_with_a_time_to_retry() -> None:
    provider = Provider(
        begin=LoginRefused(
            status_code=503, reason="provider-down", error_code="ERR_NGROK_3112", retry_after_s=8
        )
    )
    answer = Browser(Site(provider=provider)).get()
    assert (status(answer), reason(answer)) == (503, "provider-down")
    assert field_of(answer, "retry-after") == "8"


def expiring(site: Site, seconds: float = 60) -> LoggedIn:
    finish = site.provider.finish
    assert isinstance(finish, LoggedIn)
    ends_ns = site.now_ns + int(seconds * 1e9)
    return replace(finish, tokens=replace(finish.tokens, expires_ns=ends_ns))


def test_an_expired_token_is_renewed_and_the_new_one_is_seen() -> None:
    text = (
        "on_http_request: [{actions: [{type: test-login}, {type: add-headers, config: "
        "{headers: {x-token: '${actions.ngrok.test_login.access_token}', "
        "x-fresh: '${actions.ngrok.test_login.userinfo_refreshed}'}}}]}]"
    )
    site = Site(text)
    site.provider.finish = expiring(site)
    browser = Browser(site)
    browser.log_in()
    site.pass_time(70)
    finish = site.provider.finish
    later = replace(finish.tokens, access_token="access-2", expires_ns=site.now_ns + 10**12)
    site.provider.renewal = replace(finish, tokens=later)
    renewed = browser.get()
    assert dict(renewed.upstream_request.headers)["x-token"] == "access-2"  # type: ignore[union-attr]
    assert dict(renewed.upstream_request.headers)["x-fresh"] == "true"  # type: ignore[union-attr]
    assert dict(browser.get().upstream_request.headers)["x-fresh"] == "false"  # type: ignore[union-attr]
    assert site.provider.renewals == 1


def test_oa_15_a_provider_that_fails_ends_no_session_and_is_not_asked_by_every_request() -> None:
    site = Site()
    site.provider.finish = expiring(site)
    browser = Browser(site)
    browser.log_in()
    site.pass_time(70)
    site.provider.renewal = Kept(reason="timed-out")
    for _ in range(4):
        assert status(browser.get()) == 200
    assert site.provider.renewals == 1
    site.pass_time(31)
    assert status(browser.get()) == 200
    assert site.provider.renewals == 2


def test_oa_15_a_user_whom_the_provider_gives_up_is_out() -> None:
    site = Site()
    site.provider.finish = expiring(site)
    browser = Browser(site)
    browser.log_in()
    site.pass_time(70)
    site.provider.renewal = Ended(reason="refresh-refused", error_code="ERR_NGROK_3100")
    answer = browser.get()
    assert (status(answer), reason(answer)) == (302, "refresh-refused")
    site.provider.renewal = site.provider.finish
    assert status(browser.get()) == 302


def test_a_changed_configuration_asks_again_and_ends_what_is_not_vouched_for() -> None:
    site = Site()
    browser = Browser(site)
    browser.log_in()
    site.provider.agreed = "v2"
    assert isinstance(site.provider.finish, LoggedIn)
    site.provider.renewal = site.provider.finish
    assert status(browser.get()) == 200
    assert status(browser.get()) == 200
    assert site.provider.renewals == 1
    site.provider.agreed = "v3"
    site.provider.renewal = Kept(reason="no-refresh-token")
    assert reason(browser.get()) == "login-config-changed"


def test_userinfo_is_refreshed_at_its_interval() -> None:
    config = "{userinfo_refresh_interval: 5m}"
    text = f"on_http_request: [{{actions: [{{type: test-login, config: {config}}}]}}]"
    site = Site(text)
    assert isinstance(site.provider.finish, LoggedIn)
    site.provider.renewal = site.provider.finish
    browser = Browser(site)
    browser.log_in()
    for minutes, asked in ((4, 0), (2, 1), (4, 1), (2, 2)):
        site.pass_time(minutes * 60)
        assert status(browser.get()) == 200
        assert site.provider.renewals == asked


def test_t_ck_1_neither_policy_nor_upstream_sees_our_cookies() -> None:
    text = (
        "on_http_request: [{actions: [{type: test-login}, {type: add-headers, config: "
        "{headers: {x-cookies: '${req.headers[\"cookie\"]}'}}}]}]"
    )
    browser = Browser(Site(text))
    browser.log_in()
    browser.cookies["theme"] = "dark"
    sent = dict(browser.get().upstream_request.headers)  # type: ignore[union-attr]
    assert sent["Cookie" if "Cookie" in sent else "cookie"] == "theme=dark"
    assert sent["x-cookies"] == "theme=dark"


def test_oa_10_two_valid_sessions_are_none_and_a_planted_one_changes_nothing() -> None:
    site = Site()
    one, other = Browser(site), Browser(site)
    one.log_in()
    other.log_in()
    name = SESSION_COOKIE
    planted = (*NAVIGATION, ("Cookie", f"{name}={'x' * 43}"))
    assert status(one.get(headers=planted)) == 200
    both = (*NAVIGATION, ("Cookie", f"{name}={other.cookies[name]}"))
    assert status(one.get(headers=both)) == 302


def test_sessions_of_another_login_or_endpoint_do_not_count() -> None:
    text = (
        "on_http_request:\n"
        "- expressions: [\"req.url.path.startsWith('/b')\"]\n"
        "  actions: [{type: test-login, config: {auth_id: b}}]\n"
        "- actions: [{type: test-login}]\n"
    )
    site = Site(text)
    browser = Browser(site)
    browser.log_in("/a")
    stolen = browser.cookies[SESSION_COOKIE]
    browser.cookies["__Host-ngrok.b.session"] = stolen
    assert status(browser.get("/a")) == 200
    assert status(browser.get("/b")) == 302
    site.endpoint = replace(site.endpoint, id="ep_2")
    assert status(browser.get("/a")) == 302


def test_without_a_public_url_a_login_says_what_is_missing() -> None:
    browser = Browser(Site(url="http://127.0.0.1:4000"))
    answer = browser.get(host="tunnel.example.net")
    assert (status(answer), reason(answer)) == (500, "public-url-unknown")
    assert answer.exchange.warnings == [
        "the login needs the endpoint's public URL: give the endpoint a 'url'"
    ]
    assert status(browser.get(host="localhost:4000")) == 302
    assert browser.site.provider.challenges[-1].redirect_uri == (
        "http://localhost:4000/ngrok/oauth2/callback"
    )


def test_the_result_names_who_is_logged_in() -> None:
    text = (
        "on_http_request: [{actions: [{type: test-login}, {type: add-headers, config: {headers: "
        "{x-user: '${actions.ngrok.test_login.identity.email} "
        "${actions.ngrok.test_login.identity.provider_user_id}'}}}]}]"
    )
    browser = Browser(Site(text))
    browser.log_in()
    sent = dict(browser.get().upstream_request.headers)  # type: ignore[union-attr]
    assert sent["x-user"] == "alice@example.com alice"
