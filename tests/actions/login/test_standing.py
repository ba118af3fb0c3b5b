"""Who was let in just before is let in again at once, and never for longer than without that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.login import gate, standing
from actions.login.renewal import is_due
from actions.login.session import SESSIONS, Browser, Person, Session, Tokens, digest
from actions.login.sessions import ended, touch_ns
from actions.login.settings import LoginSettings
from actions.login.standing import quiet_until_ns
from actions.login.visit import visit
from policy.exchange import Exchange
from policy.store import StoreDelete
from tests.actions.login.rig import NAVIGATION, ORIGIN, Provider, Site, reason, status
from tests.actions.login.rig import Browser as RigBrowser

SECRET = "__Host-ngrok.default.session"
UPGRADE = (("Connection", "upgrade"), ("Upgrade", "websocket"))


@pytest.fixture(autouse=True)
def at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records are read without asking for them."""
    monkeypatch.setattr(Site, "has_records_at_hand", True)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Exchange]:
    """Which requests were looked at closely."""
    looked_at: list[Exchange] = []

    def seen(protocol: Any, config: LoginSettings, exchange: Exchange) -> Any:
        looked_at.append(exchange)
        return visit(protocol, config, exchange)

    monkeypatch.setattr(gate, "visit", seen)
    return looked_at


def let_in(text: str = "", *, url: str = ORIGIN, **more: Any) -> RigBrowser:
    """Return a browser that was let in once with its session."""
    policy = f"on_http_request: [{{actions: [{{type: test-login, config: {{{text}}}}}]}}]"
    browser = RigBrowser(Site(policy, url=url, **more))
    browser.log_in()
    assert status(browser.get()) == 200
    return browser


def asked(browser: RigBrowser, **more: Any) -> Exchange:
    kept: list[Exchange] = []
    assert status(browser.get(change=kept.append, **more)) == 200
    return kept[0]


def test_the_next_request_is_let_in_at_once_and_leaves_the_same(looks: list[Exchange]) -> None:
    browser = RigBrowser(Site())
    browser.log_in()
    looks.clear()
    first, second = asked(browser), asked(browser)
    assert looks == [first]
    assert second.results == first.results
    assert second.login == first.login
    assert second.admitted_until_ns == first.admitted_until_ns
    assert second.records == first.records == ((SESSIONS.name, digest(browser.cookies[SECRET])),)


def test_a_session_that_is_gone_is_gone_at_once() -> None:
    browser = let_in()
    key = digest(browser.cookies[SECRET])
    browser.site.store.answer(StoreDelete(kind=SESSIONS, key=key))
    assert reason(browser.get()) == "login-required"


def test_a_lease_ends_with_the_session() -> None:
    browser = let_in("max_session_duration: 1m")
    browser.site.pass_time(58)
    asked(browser)
    asked(browser)
    browser.site.pass_time(1)
    until_ns = asked(browser).admitted_until_ns
    assert until_ns == browser.site.now_ns + 1_000_000_000


@pytest.mark.parametrize(
    ("text", "after_s", "why"),
    [
        ("max_session_duration: 10m", 600, "session-max-duration-reached"),
        ("idle_session_timeout: 1m", 60, "session-timed-out"),
    ],
)
def test_oa_21_a_session_ends_at_the_very_moment(text: str, after_s: int, why: str) -> None:
    browser = let_in(text)
    browser.site.pass_time(after_s)
    assert reason(browser.get()) == why


def test_activity_is_written_down_as_often_as_ever() -> None:
    browser = let_in("idle_session_timeout: 20m")
    key = digest(browser.cookies[SECRET])
    before = browser.site.store.at_hand(SESSIONS, key)
    browser.site.pass_time(59)
    asked(browser)
    assert browser.site.store.at_hand(SESSIONS, key) is before
    browser.site.pass_time(1)
    asked(browser)
    after = browser.site.store.at_hand(SESSIONS, key)
    assert after is not None
    assert after.value.last_active_ns == browser.site.now_ns


def test_what_was_agreed_on_is_compared_every_time() -> None:
    provider = Provider()
    browser = let_in(provider=provider)
    provider.agreed = "v2"
    assert reason(browser.get()) == "login-config-changed"


def test_another_configuration_looks_for_itself(looks: list[Exchange]) -> None:
    browser = let_in("max_session_duration: 10m")
    other = Site(
        "on_http_request: [{actions: [{type: test-login, config: {max_session_duration: 1m}}]}]",
        store=browser.site.store,
        provider=browser.site.provider,
    )
    other.pass_time(60)
    browser.site = other
    assert reason(browser.get()) == "session-max-duration-reached"


CHANGES = {
    "endpoint": lambda on: replace_endpoint(on, id="ep_2"),
    "plain http": lambda on: replace_endpoint(on, protocol="http"),
}


def replace_endpoint(exchange: Exchange, **changes: Any) -> None:
    exchange.endpoint = replace(exchange.endpoint, **changes)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_oa_4_at_another_place_a_session_is_none(change: Callable[[Exchange], None]) -> None:
    assert reason(let_in().get(change=change)) == "login-required"


def test_oa_4_at_another_host_of_a_wildcard_a_session_is_none() -> None:
    browser = RigBrowser(Site())
    browser.site.endpoint = replace(browser.site.endpoint, host="*.example.com")
    browser.get(host="a.example.com")
    browser.get(f"/ngrok/oauth2/callback?state={browser.state}&code=c", host="a.example.com")
    for _ in range(2):
        asked(browser, host="a.example.com")
    assert reason(browser.get(host="b.example.com")) == "login-required"


def test_oa_4_where_providers_may_be_elsewhere_a_session_is_looked_at(
    looks: list[Exchange],
) -> None:
    browser = let_in()
    asked(browser)
    looks.clear()
    browser.site.surroundings = replace(browser.site.surroundings, oauth_providers={})
    exchange = asked(browser)
    assert looks == [exchange]


def test_t_ws_1_a_session_that_was_let_in_opens_no_websocket_of_another_origin() -> None:
    foreign = let_in().get(headers=(*UPGRADE, ("Origin", "https://evil.example")))
    assert (status(foreign), reason(foreign)) == (403, "websocket-cross-origin")


def test_a_preflight_is_nobody_s_even_with_a_session() -> None:
    browser = let_in("allow_cors_preflight: true")
    preflight = (("Origin", "https://a.example"), ("Access-Control-Request-Method", "PUT"))
    kept: list[Exchange] = []
    browser.ask("OPTIONS", headers=preflight, change=kept.append)
    assert (kept[0].results, kept[0].login) == ({}, None)


def test_oa_10_of_two_valid_sessions_none_counts() -> None:
    browser = let_in()
    other = RigBrowser(browser.site)
    other.log_in()
    both = f"{SECRET}={browser.cookies[SECRET]}; {SECRET}={other.cookies[SECRET]}"
    browser.cookies.clear()
    answer = browser.get(headers=(*NAVIGATION, ("Cookie", both)))
    assert reason(answer) == "login-required"


def test_what_was_looked_at_is_told_every_time() -> None:
    browser = let_in()
    told = [asked(browser).checks for _ in range(2)]
    assert told[0] == told[1]
    assert told[0] is not None


MOMENTS = st.integers(0, 200)
SESSION = Session(
    id="s", scope="", auth_id="", endpoint_id="", public_url="", provider_name="",
    provider_url="", identity_id="", person=Person(subject="s"), tokens=Tokens(),
    browser=Browser(user_agent="", ip_address=""), agreed="v1", created_ns=0, last_active_ns=0,
    refreshed_ns=0, ends_ns=0,
)  # fmt: skip


@given(
    config=st.builds(
        LoginSettings.model_construct,
        max_session_duration=MOMENTS,
        idle_session_timeout=st.none() | MOMENTS,
        userinfo_refresh_interval=st.none() | MOMENTS,
    ),
    session=st.builds(
        partial(replace, SESSION),
        created_ns=MOMENTS,
        last_active_ns=MOMENTS,
        refreshed_ns=MOMENTS,
        ends_ns=MOMENTS,
        retry_ns=MOMENTS,
        tokens=st.builds(
            Tokens, refresh_token=st.sampled_from(["", "r"]), expires_ns=st.none() | MOMENTS
        ),
    ),
    now_ns=MOMENTS,
)
def test_nothing_is_to_be_done_exactly_until_then(
    config: LoginSettings, session: Session, now_ns: int
) -> None:
    is_quiet = (
        ended(session, config, now_ns) is None
        and not is_due(session, config, "v1", now_ns)
        and now_ns < touch_ns(session, config)
    )
    assert (now_ns < quiet_until_ns(session, config)) == is_quiet


def test_few_secrets_are_known_at_a_time() -> None:
    assert standing.key_of.cache_info().maxsize == 1024
