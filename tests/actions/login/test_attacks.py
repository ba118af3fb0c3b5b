"""What somebody who means no good can try with a browser, without any provider's help."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from actions.login.protocol import LogoutNotice
from actions.login.session import PENDING_LOGINS, SESSIONS
from policy.exchange import Exchange
from policy.store import StoreDelete, StoreFind, StoreGet, StorePut, StoreUnavailable
from tests.actions.login.rig import (
    NAVIGATION,
    ORIGIN,
    Browser,
    LoggedIn,
    Site,
    field_of,
    location,
    reason,
    status,
)

SESSION: Final = "__Host-ngrok.default.session"
SCRIPT: Final = (
    ("Accept", "*/*"),
    ("Sec-Fetch-Mode", "cors"),
    ("Sec-Fetch-Dest", "empty"),
    ("Sec-Fetch-Site", "same-origin"),
)


def logged_in(site: Site | None = None) -> Browser:
    browser = Browser(site or Site())
    browser.log_in()
    return browser


def sessions(site: Site) -> list[Any]:
    return [each.value for each in site.store.answer(StoreFind(kind=SESSIONS, limit=1000))]


def shown(browser: Browser, *cookies: str) -> int:
    """Ask with these Cookie fields and no others."""
    nobody = Browser(browser.site)
    lines = (*NAVIGATION, *(("Cookie", each) for each in cookies))
    return status(nobody.get(headers=lines))


# --- cookies ------------------------------------------------------------------------------------


def test_oa_9_a_session_id_from_before_the_login_is_none_after_it() -> None:
    browser = Browser(Site())
    planted = "A" * 43
    browser.cookies[SESSION] = planted
    browser.log_in()
    assert browser.cookies[SESSION] != planted
    assert shown(browser, f"{SESSION}={planted}") == 302


@pytest.mark.parametrize(
    "spelling",
    [
        '{name}="{value}"',
        "{name}={value}%20",
        "{name}={value}\x0b",
        "{name}={value}\xa0",
        "{upper}={value}",
        "{lower}={value}",
        "\x0c{name}={value}",
        "x={name}={value}",
        "={name}={value}",
        "{name};={value}",
        "$Version=1, {name}={value}",
        "ngrok.default.session={value}",
        "__Secure-ngrok.default.session={value}",
        "__Host-ngrok.other.session={value}",
        "__Host-ngrok.default.nonce={value}",
    ],
)
def test_oa_12_a_session_counts_under_its_exact_name_and_value_only(spelling: str) -> None:
    browser = logged_in()
    text = spelling.format(
        name=SESSION, value=browser.cookies[SESSION], upper=SESSION.upper(), lower=SESSION.lower()
    )
    assert shown(browser, text) == 302


@pytest.mark.parametrize(
    "fields",
    [
        ["a=1; {0}", "b=2"],
        ["a=1", "{0}"],
        ["{0};{0}"],
        ["{0}", "{0}"],
        [SESSION + "=planted; {0}"],
        [SESSION + "=" + "B" * 43 + "; {0}"],
        ["\t{0}\t;"],
    ],
    ids=repr,
)
def test_oa_10_the_one_valid_session_counts_whatever_else_is_shown(fields: list[str]) -> None:
    browser = logged_in()
    own = f"{SESSION}={browser.cookies[SESSION]}"
    assert shown(browser, *(each.format(own) for each in fields)) == 200


def test_oa_11_megabytes_of_cookies_are_no_session_and_no_fault() -> None:
    browser = logged_in()
    own = f"{SESSION}={browser.cookies[SESSION]}"
    many = "; ".join(f"{SESSION}={number:043}" for number in range(20_000))
    assert shown(browser, f"{many}; {own}") == 302
    assert shown(browser, f"{SESSION}={'a' * 1_000_000}; {own}") == 200


# --- where a session holds ----------------------------------------------------------------------


def on(site: Site, **changes: Any) -> Site:
    """The same store and provider behind another endpoint."""
    other = Site(provider=site.provider, store=site.store)
    other.endpoint = replace(site.endpoint, **changes)
    return other


def wildcard(text: str = "") -> Site:
    site = Site(text) if text else Site()
    site.endpoint = replace(site.endpoint, host="*.example.com", url="https://*.example.com")
    return site


def log_in_at(site: Site, host: str) -> Browser:
    browser = Browser(site)
    browser.get(host=host)
    back = f"/ngrok/oauth2/callback?state={browser.state}&code=c"
    assert reason(browser.get(back, host=host)) == "logged-in"
    return browser


def test_a_session_of_one_host_of_a_wildcard_endpoint_is_none_of_another() -> None:
    browser = log_in_at(wildcard(), "a.example.com")
    assert status(browser.get(host="a.example.com")) == 200
    assert status(browser.get(host="b.example.com")) == 302


def test_a_login_that_was_begun_at_one_host_is_not_finished_at_another() -> None:
    browser = Browser(wildcard())
    browser.get(host="a.example.com")
    back = f"/ngrok/oauth2/callback?state={browser.state}&code=c"
    assert reason(browser.get(back, host="b.example.com")) == "login-not-pending"


def test_a_shared_domain_shares_the_session_among_hosts() -> None:
    text = (
        "on_http_request: [{actions: [{type: test-login, "
        "config: {auth_cookie_domain: example.com}}]}]"
    )
    browser = Browser(wildcard(text))
    browser.get(host="a.example.com")
    browser.get(f"/ngrok/oauth2/callback?state={browser.state}&code=c", host="a.example.com")
    assert status(browser.get(host="b.example.com")) == 200


def test_a_session_of_another_endpoint_with_the_same_login_is_none() -> None:
    browser = logged_in()
    other = Browser(on(browser.site, id="ep_2"), cookies=dict(browser.cookies))
    assert status(other.get()) == 302


@pytest.mark.parametrize(
    "line", ["X-Forwarded-Host: evil.example", "X-Forwarded-Proto: http", "Forwarded: proto=http"]
)
def test_t_rd_5_what_a_client_says_about_the_way_changes_nothing(line: str) -> None:
    name, _, value = line.partition(": ")
    browser = Browser(Site())
    browser.get(headers=(*NAVIGATION, (name, value)))
    [challenge] = browser.site.provider.challenges
    assert challenge.redirect_uri == f"{ORIGIN}/ngrok/oauth2/callback"
    assert list(browser.cookies) == ["__Host-ngrok.default.nonce"]


# --- our own paths ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", SCRIPT),
        ("GET", (("Accept", "image/png"), ("Sec-Fetch-Dest", "image"))),
        ("GET", (*NAVIGATION, ("X-Requested-With", "XMLHttpRequest"))),
        ("POST", NAVIGATION),
        ("OPTIONS", (("Origin", "https://evil.example"),)),
        ("DELETE", ()),
    ],
)
def test_d2_38_what_is_no_navigation_begins_no_login_at_the_login_path_either(
    method: str, headers: tuple[tuple[str, str], ...]
) -> None:
    browser = Browser(Site())
    answer = browser.ask(method, "/ngrok/login?redirect_path=/x", headers=headers)
    assert (status(answer), reason(answer)) == (401, "login-asked-for")
    assert browser.cookies == {}
    assert browser.site.store.answer(StoreFind(kind=PENDING_LOGINS)) == ()
    assert "login_uri=" in field_of(answer, "www-authenticate")


@pytest.mark.parametrize(
    "path",
    ["/ngrok/login/", "/NGROK/LOGIN", "/ngrok/login;x", "/ngrok/loginx", "/ngrok/oauth2/callback/"],
)
def test_what_only_looks_like_a_path_of_ours_is_guarded_like_any_other(path: str) -> None:
    browser = Browser(Site())
    assert reason(browser.get(path)) == "login-required"
    browser = logged_in()
    answer = browser.get(path)
    assert (status(answer), answer.upstream_request is not None) == (200, True)


def test_a_path_of_ours_in_another_spelling_is_ours() -> None:
    assert reason(Browser(Site()).get("/ngrok/%6Cogin")) == "login-asked-for"
    assert reason(logged_in().get("/%6e%67rok/logout")) == "logged-out"


@pytest.mark.parametrize("query", ["auth_id=a&auth_id=b", "auth_id=", "auth_id=none"])
@pytest.mark.parametrize("path", ["login", "logout", "oauth2/callback", "backchannel-logout"])
def test_a_login_that_there_is_not_answers_nothing(path: str, query: str) -> None:
    browser = logged_in()
    answer = browser.get(f"/ngrok/{path}?{query}&state=x")
    assert (status(answer), reason(answer)) == (404, "unknown-auth-id")
    assert len(sessions(browser.site)) == 1


def test_a_callback_that_says_error_and_code_is_the_protocol_s_to_judge_and_used_up() -> None:
    browser = Browser(Site())
    browser.get()
    state = browser.state
    browser.come_back(error="access_denied")
    [(_, parameters)] = browser.site.provider.finished
    assert parameters["error"] == "access_denied"
    again = Browser(browser.site, cookies=browser.cookies)
    again.get(f"/ngrok/oauth2/callback?state={state}&code=c")
    assert len(browser.site.provider.finished) == 1


# --- coming back late, or twice -----------------------------------------------------------------


def test_d2_39_a_login_that_took_too_long_leads_who_is_logged_in_to_its_page() -> None:
    browser = Browser(Site())
    browser.get("/orders")
    state = browser.state
    browser.site.pass_time(901)
    browser.log_in("/other")
    back = browser.get(f"/ngrok/oauth2/callback?state={state}&code=c")
    assert (reason(back), location(back)) == ("already-logged-in", "/orders")


def test_a_logout_passes_by_a_cookie_whose_session_is_long_over() -> None:
    text = (
        "on_http_request:\n"
        "- expressions: [\"req.url.path.startsWith('/a')\"]\n"
        "  actions: [{type: test-login, config: {auth_id: a}}]\n"
        "- actions: [{type: test-login, config: {auth_id: b}}]\n"
    )
    site = Site(text)
    browser = Browser(site)
    for path in ("/a", "/b"):
        browser.get(path)
        name = path.removeprefix("/")
        browser.get(f"/ngrok/oauth2/callback?auth_id={name}&state={browser.state}&code=c")
    assert len(sessions(site)) == 2
    for record in site.store.answer(StoreFind(kind=SESSIONS)):
        if record.value.auth_id == "a":
            site.store.answer(StoreDelete(kind=SESSIONS, key=record.key))
    assert reason(browser.get("/ngrok/logout")) == "logged-out"
    assert sessions(site) == []


# --- renewals -----------------------------------------------------------------------------------


def test_a_changed_configuration_is_not_satisfied_by_new_tokens_alone() -> None:
    browser = logged_in()
    provider = browser.site.provider
    provider.agreed = "v2"
    assert isinstance(provider.finish, LoggedIn)
    provider.renewal = replace(provider.finish, is_person_renewed=False)
    answer = browser.get()
    assert (status(answer), reason(answer)) == (302, "login-config-changed")


def test_oa_21_a_renewal_for_an_open_stream_is_no_activity() -> None:
    text = (
        "on_http_request: [{actions: [{type: test-login, config: "
        "{idle_session_timeout: 10m, userinfo_refresh_interval: 1m}}]}]"
    )
    browser = logged_in(Site(text))
    site = browser.site
    assert isinstance(site.provider.finish, LoggedIn)
    site.provider.renewal = site.provider.finish

    def again(exchange: Exchange) -> None:
        exchange.is_readmission = True

    for _ in range(9):
        site.pass_time(61)
        assert status(browser.get(change=again)) == 200
    assert site.provider.renewals == 9
    site.pass_time(61)
    assert reason(browser.get(change=again)) == "session-timed-out"


def test_a_renewal_that_brings_the_end_of_the_session_admits_nobody() -> None:
    browser = logged_in()
    site = browser.site
    assert isinstance(site.provider.finish, LoggedIn)
    site.provider.agreed = "v2"
    site.provider.renewal = replace(site.provider.finish, ends_ns=site.now_ns)
    answer = browser.get()
    assert (status(answer), reason(answer)) == (302, "session-max-duration-reached")
    assert answer.upstream_request is None


class LoggedOutMeanwhile:
    """A store from which a session is taken while the provider is asked about it."""

    def __init__(self, site: Site) -> None:
        self.real, self.site = site.store, site
        self.before = site.provider.renewals

    def answer(self, effect: Any) -> Any:
        if isinstance(effect, StoreGet) and self.site.provider.renewals > self.before:
            for each in self.real.answer(StoreFind(kind=SESSIONS)):
                self.real.answer(StoreDelete(kind=SESSIONS, key=each.key))
        return self.real.answer(effect)


def test_a_logout_during_a_renewal_wins() -> None:
    browser = logged_in()
    site = browser.site
    assert isinstance(site.provider.finish, LoggedIn)
    site.provider.agreed, site.provider.renewal = "v2", site.provider.finish
    site.store = LoggedOutMeanwhile(site)
    answer = browser.get()
    assert (status(answer), answer.upstream_request) == (302, None)
    site.store = site.store.real
    assert sessions(site) == []


# --- notices and bounds -------------------------------------------------------------------------


def test_oa_17_a_notice_that_could_not_be_carried_out_may_come_again() -> None:
    browser = logged_in()
    site = browser.site
    put = StorePut(kind=PENDING_LOGINS, key="used", value=None, ttl_s=60)
    site.provider.notice = LogoutNotice(subject="alice", remember=put)
    form = (("Content-Type", "application/x-www-form-urlencoded"),)
    asked: list[Any] = []
    real = site.store

    class Trouble:
        def answer(self, effect: Any) -> Any:
            asked.append(effect)
            if isinstance(effect, StoreDelete):
                return StoreUnavailable(reason="store-locked")
            return real.answer(effect)

    site.store = Trouble()
    nobody = Browser(site)
    answer = nobody.ask("POST", "/ngrok/backchannel-logout", headers=form, body=b"x=y")
    assert status(answer) == 503
    assert put not in asked
    site.store = real
    assert status(nobody.ask("POST", "/ngrok/backchannel-logout", headers=form, body=b"x")) == 200
    assert sessions(site) == []


@pytest.mark.parametrize(
    ("addresses", "kept"),
    [
        (["203.0.113.7"] * 3, 2),
        (["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:2:3:4:5:6"], 2),
        (["2001:db8:1:2::1", "2001:db8:1:3::1", "2001:db8:1:4::1"], 3),
        (["198.51.100.1", "198.51.100.2", "::ffff:198.51.100.3"], 3),
    ],
    ids=["one address", "one IPv6 network", "three IPv6 networks", "three addresses"],
)
def test_oa_13_one_client_pushes_out_its_own_unfinished_logins_only(
    addresses: list[str], kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site()
    few = replace(PENDING_LOGINS, max_per_group=2)
    monkeypatch.setattr("actions.login.begin.PENDING_LOGINS", few)
    for address in addresses:
        Browser(site).get(client_ip=address)
    assert len(site.store.answer(StoreFind(kind=few))) == kept
