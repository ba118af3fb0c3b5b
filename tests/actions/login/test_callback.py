"""The way back from the provider: who gets a session, and who gets a page."""

from __future__ import annotations

import pytest

from actions.login.protocol import LoginRefused
from actions.login.session import PENDING_LOGINS, SESSIONS
from policy.store import StoreFind
from tests.actions.login.rig import Browser, Provider, Site, field_of, location, reason, status

COOKIE = "__Host-ngrok.default.session"
TWO = (
    "on_http_request:\n"
    "- expressions: [\"req.url.path.startsWith('/b')\"]\n"
    "  actions: [{type: test-login, config: {auth_id: b}}]\n"
    "- actions: [{type: test-login, config: {auth_id: a}}]\n"
)


def sessions(site: Site) -> int:
    return len(site.store.answer(StoreFind(kind=SESSIONS)))


def test_oa_1_a_callback_without_the_browser_s_cookie_is_nobody_s() -> None:
    site = Site()
    victim, attacker = Browser(site), Browser(site)
    attacker.get("/")
    victim.last = attacker.last
    answer = victim.come_back()
    assert (status(answer), reason(answer)) == (400, "login-not-pending")
    assert site.provider.finished == []
    assert sessions(site) == 0


def test_oa_2_a_login_of_another_browser_is_not_taken_over() -> None:
    site = Site()
    victim, attacker = Browser(site), Browser(site)
    victim.get("/mine")
    attacker.get("/theirs")
    victim.last = attacker.last
    assert status(victim.come_back()) == 400
    assert site.provider.finished == []


def test_oa_1_a_state_is_good_for_one_use() -> None:
    site = Site()
    browser = Browser(site)
    browser.get("/")
    state = browser.state
    browser.come_back()
    browser.cookies.pop(COOKIE)
    again = browser.get(f"/ngrok/oauth2/callback?state={state}&code=code-1")
    assert (status(again), reason(again)) == (400, "login-not-pending")
    assert len(site.provider.finished) == 1


BAD_QUERIES = {
    "no state": "code=1",
    "empty state": "state=&code=1",
    "two states": "state={state}&state={state}&code=1",
    "two codes": "state={state}&code=1&code=2",
    "altered state": "state={state}x&code=1",
    "long state": "state={state}" + "x" * 200 + "&code=1",
    "nothing": "",
}


@pytest.mark.parametrize("query", BAD_QUERIES.values(), ids=BAD_QUERIES)
def test_oa_1_a_callback_has_to_be_just_what_we_asked_for(query: str) -> None:
    site = Site()
    browser = Browser(site)
    browser.get("/")
    answer = browser.get("/ngrok/oauth2/callback?" + query.format(state=browser.state))
    assert status(answer) == 400
    assert site.provider.finished == []
    assert sessions(site) == 0


def test_a_callback_is_a_get() -> None:
    browser = Browser(Site())
    browser.get("/")
    answer = browser.ask("POST", f"/ngrok/oauth2/callback?state={browser.state}&code=1")
    assert status(answer) == 400


def test_oa_4_an_answer_for_one_login_is_none_for_another() -> None:
    site = Site(TWO)
    browser = Browser(site)
    browser.get("/a")
    state = browser.state
    for query in (f"auth_id=b&state={state}", f"auth_id=c&state={state}"):
        assert status(browser.get(f"/ngrok/oauth2/callback?{query}&code=1")) in (400, 404)
    assert site.provider.finished == []
    assert status(browser.get(f"/ngrok/oauth2/callback?auth_id=a&state={state}&code=1")) == 302


def test_oa_4_each_login_has_its_own_redirect_uri() -> None:
    site = Site(TWO)
    browser = Browser(site)
    browser.get("/a")
    browser.get("/b")
    assert [each.redirect_uri for each in site.provider.challenges] == [
        "https://orders.example.com/ngrok/oauth2/callback?auth_id=a",
        "https://orders.example.com/ngrok/oauth2/callback?auth_id=b",
    ]


def test_t_rd_5_a_client_s_host_does_not_become_the_redirect_uri() -> None:
    site = Site()
    Browser(site).get("/", host="evil.example")
    assert site.provider.challenges[0].redirect_uri.startswith("https://orders.example.com/")


def test_who_took_too_long_is_led_to_a_new_login_for_the_same_page() -> None:
    site = Site()
    browser = Browser(site)
    browser.get("/reports?year=2026")
    site.pass_time(16 * 60)
    answer = browser.come_back()
    assert (status(answer), reason(answer)) == (400, "login-took-too-long")
    assert b'href="/ngrok/login?redirect_path=/reports%3Fyear%3D2026"' in answer.response.body  # type: ignore[union-attr]
    assert site.provider.finished == []


def test_a_refusal_shows_a_reference_and_no_reason() -> None:
    provider = Provider(
        finish=LoginRefused(
            status_code=502,
            reason="id-token-nonce-mismatch",
            error_code="ERR_NGROK_3151",
            detail="the nonce <script>",
        )
    )
    site = Site(provider=provider)
    browser = Browser(site)
    browser.get("/")
    answer = browser.come_back()
    assert (status(answer), reason(answer)) == (502, "id-token-nonce-mismatch")
    body = answer.response.body.decode()  # type: ignore[union-attr]
    assert "nonce" not in body
    assert answer.exchange.reference
    assert answer.exchange.reference in body
    assert answer.exchange.warnings == ["login: the nonce <script>"]
    assert sessions(site) == 0
    assert "frame-ancestors 'none'" in field_of(answer, "content-security-policy")


def test_oa_9_every_login_gets_a_new_id_and_ends_the_old_session() -> None:
    site = Site()
    browser = Browser(site)
    browser.cookies[COOKIE] = "f" * 43
    browser.log_in()
    first = browser.cookies[COOKIE]
    assert first != "f" * 43
    browser.get("/ngrok/login")
    browser.come_back()
    assert browser.cookies[COOKIE] != first
    assert sessions(site) == 1


def test_several_tabs_log_in_at_once() -> None:
    site = Site()
    browser = Browser(site)
    browser.get("/one")
    one = browser.state
    browser.get("/two")
    two = browser.state
    assert location(browser.get(f"/ngrok/oauth2/callback?state={two}&code=2")) == "/two"
    assert location(browser.get(f"/ngrok/oauth2/callback?state={one}&code=1")) == "/one"
    assert status(browser.get("/one")) == 200
    assert len([name for name in browser.cookies if name.endswith("nonce")]) == 1


def test_d2_39_a_stale_callback_of_who_is_logged_in_leads_on() -> None:
    browser = Browser(Site())
    browser.log_in()
    answer = browser.get("/ngrok/oauth2/callback?state=stale&code=1")
    assert (status(answer), location(answer)) == (302, "/")


def test_oa_13_unfinished_logins_are_bounded_and_end_no_session() -> None:
    site = Site()
    browser = Browser(site)
    browser.log_in()
    for _ in range(1200):
        Browser(site).get("/", client_ip="198.51.100.9")
    pending = site.store.answer(StoreFind(kind=PENDING_LOGINS, limit=100_000))
    assert len(pending) == 500
    other = Browser(site)
    other.get("/")
    assert status(other.come_back()) == 302
    assert status(browser.get("/")) == 200


def test_the_session_cookie_is_as_strict_as_it_can_be() -> None:
    browser = Browser(Site())
    answer = browser.log_in()
    cookie = field_of(answer, "set-cookie")
    assert cookie.startswith(f"{COOKIE}=")
    for attribute in ("Path=/", "HttpOnly", "Secure", "SameSite=Lax", "Max-Age=86400"):
        assert f"; {attribute}" in cookie
    assert "Domain" not in cookie
    assert field_of(answer, "cache-control") == "no-store"


def test_plain_http_has_plain_cookies() -> None:
    browser = Browser(Site(url="http://orders.test"))
    browser.log_in()
    assert set(browser.cookies) == {"ngrok.default.session", "ngrok.default.nonce"}


def test_a_shared_domain_has_its_own_prefix() -> None:
    config = "{auth_cookie_domain: example.com}"
    site = Site(f"on_http_request: [{{actions: [{{type: test-login, config: {config}}}]}}]")
    browser = Browser(site)
    answer = browser.log_in()
    assert field_of(answer, "set-cookie").startswith("__Secure-ngrok.default.session=")
    assert "; Domain=example.com;" in field_of(answer, "set-cookie")


def test_3313_a_domain_that_is_not_the_endpoint_s_is_refused() -> None:
    config = "{auth_cookie_domain: example.org}"
    site = Site(f"on_http_request: [{{actions: [{{type: test-login, config: {config}}}]}}]")
    answer = Browser(site).get()
    assert (status(answer), reason(answer)) == (500, "cookie-domain-foreign")
