"""Logouts that log out, and those that nobody asked for."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from actions.login.protocol import LoginRefused, LogoutNotice
from actions.login.session import SESSIONS
from policy.evaluation import Evaluation
from policy.store import StoreFind, StoreUnavailable
from tests.actions.login.rig import (
    NAVIGATION,
    PROVIDER,
    Browser,
    Provider,
    Site,
    field_of,
    location,
    reason,
    status,
)

FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
FROM_ELSEWHERE = {
    "sec-fetch-site": (("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")),
    "origin": (("Origin", "https://evil.example"),),
    "referer": (("Referer", "https://evil.example/page"),),
    "referer that begins like ours": (("Referer", "https://orders.example.com.evil.example/"),),
}
SUBRESOURCES = {
    "image": (("Sec-Fetch-Dest", "image"), ("Sec-Fetch-Mode", "no-cors")),
    "script of our own": (("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Site", "same-origin")),
    "frame": (("Sec-Fetch-Dest", "iframe"), ("Sec-Fetch-Mode", "navigate")),
}


def logged_in(site: Site | None = None) -> Browser:
    browser = Browser(site or Site())
    browser.log_in()
    return browser


def test_a_logout_ends_the_session_and_takes_the_cookie() -> None:
    browser = logged_in()
    kept = dict(browser.cookies)
    answer = browser.get("/ngrok/logout")
    assert (status(answer), reason(answer)) == (200, "logged-out")
    assert b"signed out" in answer.response.body  # type: ignore[union-attr]
    assert "__Host-ngrok.default.session" not in browser.cookies
    browser.cookies = kept
    assert status(browser.get("/")) == 302


def test_a_logout_leads_where_it_was_asked_to() -> None:
    assert location(logged_in().get("/ngrok/logout?redirect_path=/bye")) == "/bye"


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/%09/x",
     "/%0d%0aX:1", "https:evil.example", "", "/ngrok/logout", "/" + "a" * 10_000, "/a/../b"],
)  # fmt: skip
def test_t_rd_2_a_logout_never_leads_away(target: str) -> None:
    browser = logged_in()
    answer = browser.get(f"/ngrok/logout?redirect_path={quote(target, safe='')}")
    assert location(answer) == "/"


def test_t_rd_1_a_login_never_leads_away() -> None:
    browser = Browser(Site())
    browser.get("/ngrok/login?redirect_path=%2F%2Fevil.example")
    assert location(browser.come_back()) == "/"
    browser.get("/ngrok/login?redirect_path=/in&redirect_path=//evil.example")
    assert location(browser.come_back()) == "/"
    browser.get("/ngrok/login?redirect_path=/in%3Fa%3D1")
    assert location(browser.come_back()) == "/in?a=1"


@pytest.mark.parametrize("shown", FROM_ELSEWHERE.values(), ids=FROM_ELSEWHERE)
def test_oa_16_another_site_can_only_ask(shown: tuple[tuple[str, str], ...]) -> None:
    browser = logged_in()
    answer = browser.get("/ngrok/logout?redirect_path=/bye", headers=shown)
    assert (status(answer), reason(answer)) == (200, "logout-to-be-confirmed")
    assert b'action="/ngrok/logout?redirect_path=/bye"' in answer.response.body  # type: ignore[union-attr]
    assert status(browser.get("/")) == 200
    confirmed = browser.ask(
        "POST",
        "/ngrok/logout?redirect_path=/bye",
        headers=(
            *FORM,
            ("Origin", "https://orders.example.com"),
            ("Sec-Fetch-Site", "same-origin"),
        ),
    )
    assert (status(confirmed), location(confirmed)) == (303, "/bye")
    assert status(browser.get("/")) == 302


@pytest.mark.parametrize("shown", SUBRESOURCES.values(), ids=SUBRESOURCES)
def test_oa_16_what_a_page_loads_logs_nobody_out(shown: tuple[tuple[str, str], ...]) -> None:
    browser = logged_in()
    answer = browser.get("/ngrok/logout", headers=shown)
    assert (status(answer), reason(answer)) == (403, "logout-not-asked-for")
    assert status(browser.get("/")) == 200


def test_a_form_of_another_site_logs_nobody_out() -> None:
    browser = logged_in()
    answer = browser.ask("POST", "/ngrok/logout", headers=(("Origin", "https://evil.example"),))
    assert status(answer) == 403
    assert status(browser.get("/")) == 200


def test_the_provider_logs_out_too_and_sends_back_to_a_page_that_begins_no_login() -> None:
    site = Site(provider=Provider(logout_url=f"{PROVIDER}/logout"))
    browser = logged_in(site)
    away = browser.get("/ngrok/logout")
    assert location(away).startswith(f"{PROVIDER}/logout?state=")
    assert location(away).endswith("return_to=https://orders.example.com/ngrok/logout")
    back = browser.get(
        f"/ngrok/logout?state={browser.state}", headers=(("Sec-Fetch-Site", "cross-site"),)
    )
    assert (status(back), location(back)) == (200, "")
    assert b"signed out" in back.response.body  # type: ignore[union-attr]


def test_the_way_back_from_the_provider_keeps_the_target() -> None:
    site = Site(provider=Provider(logout_url=f"{PROVIDER}/logout"))
    browser = logged_in(site)
    browser.get("/ngrok/logout?redirect_path=/bye")
    assert location(browser.get(f"/ngrok/logout?state={browser.state}")) == "/bye"


def test_without_the_store_a_logout_does_not_pretend() -> None:
    site = Site()
    browser = logged_in(site)

    class Dead:
        def answer(self, _effect: object) -> StoreUnavailable:
            return StoreUnavailable(reason="not-connected")

    site.store = Dead()
    answer = browser.get("/ngrok/logout")
    assert status(answer) == 503
    assert field_of(answer, "set-cookie") == ""


RULES = (
    "on_http_request:\n"
    "- expressions: [\"req.url.path == '/ngrok/logout'\"]\n"
    "  actions: [{type: redirect, config: {to: 'https://www.example.com/bye'}}]\n"
    "- actions: [{type: test-login}]\n"
)


def test_a_rule_for_the_path_answers_after_the_cookie_was_taken() -> None:
    browser = logged_in(Site(RULES))
    kept = dict(browser.cookies)
    answer = browser.get("/ngrok/logout")
    assert location(answer) == "https://www.example.com/bye"
    assert "Max-Age=0" in field_of(answer, "set-cookie")
    browser.cookies = kept
    assert status(browser.get("/")) == 302


def test_several_logins_are_told_apart_and_one_logs_out_what_there_is() -> None:
    text = (
        "on_http_request:\n"
        "- expressions: [\"req.url.path.startsWith('/b')\"]\n"
        "  actions: [{type: test-login, config: {auth_id: b}}]\n"
        "- expressions: [\"req.url.path.startsWith('/a')\"]\n"
        "  actions: [{type: test-login, config: {auth_id: a}}]\n"
    )
    site = Site(text)
    browser = Browser(site)
    browser.get("/b")
    browser.get(f"/ngrok/oauth2/callback?auth_id=b&state={browser.state}&code=1")
    assert status(browser.get("/b")) == 200
    assert status(browser.get("/ngrok/logout")) == 200
    assert status(browser.get("/b")) == 302


NOTICE = (("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),)


def notified(
    site: Site, headers: tuple[tuple[str, str], ...] = NOTICE, method: str = "POST"
) -> Evaluation:
    return Browser(site).ask(
        method, "/ngrok/backchannel-logout", headers=headers, body=b"logout_token=x"
    )


def test_oa_17_a_notice_ends_every_session_that_it_means() -> None:
    site = Site()
    one, other = logged_in(site), logged_in(site)
    site.provider.notice = LogoutNotice(subject="alice")
    answer = notified(site)
    assert (status(answer), field_of(answer, "cache-control")) == (200, "no-store")
    assert status(one.get("/")) == status(other.get("/")) == 302
    assert site.store.answer(StoreFind(kind=SESSIONS)) == ()


def test_oa_17_a_notice_for_one_of_the_provider_s_sessions_ends_that_one() -> None:
    site = Site()
    browser = logged_in(site)
    site.provider.notice = LogoutNotice(subject="bob", provider_session="sid-1")
    assert status(notified(site)) == 200
    assert status(browser.get("/")) == 200
    site.provider.notice = LogoutNotice(subject="alice", provider_session="sid-1")
    assert status(notified(site)) == 200
    assert status(browser.get("/")) == 302


def test_oa_17_what_can_t_be_believed_ends_nothing() -> None:
    site = Site()
    browser = logged_in(site)
    site.provider.notice = LoginRefused(
        status_code=400, reason="logout-token-replayed", error_code=""
    )
    assert status(notified(site)) == 400
    assert status(notified(site, headers=())) == 400
    assert status(notified(site, method="GET")) == 400
    assert status(browser.get("/")) == 200


def test_a_logout_page_is_for_get_and_post_only() -> None:
    browser = logged_in()
    answer = browser.ask("DELETE", "/ngrok/logout", headers=NAVIGATION)
    assert status(answer) == 405
    assert field_of(answer, "allow") == "GET, HEAD, POST"
