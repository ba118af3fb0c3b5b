"""What a login leaves behind for the operator: who was let in, and numbers."""

from __future__ import annotations

import pytest

from actions.login.protocol import LoginRefused
from policy.exchange import Exchange, Login
from policy.store import StoreUnavailable
from tests.actions.login.rig import ALICE, Browser, Ended, Kept, LoggedIn, Provider, Site

NOBODY = Login(client_id="client-1")
DENIED = LoginRefused(status_code=403, reason="login-denied", error_code="ERR_NGROK_3113")


class DeadStore:
    """A store that can't be asked."""

    def answer(self, _effect: object) -> StoreUnavailable:
        return StoreUnavailable(reason="not-connected")


def noted(browser: Browser, target: str = "/", method: str = "GET") -> Login | None:
    kept: list[Exchange] = []
    browser.ask(method, target, change=kept.append)
    return kept[0].login


def test_who_is_logged_in_is_noted() -> None:
    browser = Browser(Site())
    browser.log_in()
    login = noted(browser)
    assert login is not None
    assert (login.client_id, login.is_allowed, login.user_name) == ("client-1", True, "Alice")
    assert login.user_id.startswith("au_")


def test_a_login_notes_who_it_was() -> None:
    browser = Browser(Site())
    browser.get()
    kept: list[Exchange] = []
    browser.get(f"/ngrok/oauth2/callback?state={browser.state}&code=c", change=kept.append)
    assert kept[0].login == noted(browser)


def test_who_is_not_logged_in_is_nobody() -> None:
    assert noted(Browser(Site())) == NOBODY
    assert noted(Browser(Site()), method="POST") == NOBODY
    assert noted(Browser(Site(store=DeadStore()))) == NOBODY
    assert noted(Browser(Site()), "/ngrok/oauth2/callback?state=a&code=b") == NOBODY


def test_a_session_that_has_ended_is_nobody_s() -> None:
    provider = Provider()
    browser = Browser(Site(provider=provider))
    browser.log_in()
    provider.agreed, provider.renewal = "v2", Ended(reason="gone", error_code="ERR_NGROK_3100")
    assert noted(browser) == NOBODY


def test_without_a_login_nothing_is_noted() -> None:
    preflights = "on_http_request: [{actions: [{type: test-login, config: {%s}}]}]"
    site = Site(preflights % "allow_cors_preflight: true")
    kept: list[Exchange] = []
    headers = (("Origin", "https://a.test"), ("Access-Control-Request-Method", "GET"))
    Browser(site).ask("OPTIONS", headers=headers, change=kept.append)
    assert kept[0].login is None


LOGINS = {
    "good": (Provider(), "logged-in"),
    "refused": (Provider(finish=DENIED), "login-denied"),
}


@pytest.mark.parametrize(("provider", "outcome"), LOGINS.values(), ids=LOGINS)
def test_a_login_is_counted_when_it_comes_back(provider: Provider, outcome: str) -> None:
    browser = Browser(Site(provider=provider))
    browser.get()
    assert browser.site.counted == []
    browser.come_back()
    assert browser.site.counted == [("logins", outcome)]


RENEWALS = {
    "renewed": LoggedIn(person=ALICE),
    "kept": Kept(reason="provider-unreachable"),
    "ended": Ended(reason="gone", error_code="ERR_NGROK_3100"),
}


@pytest.mark.parametrize(("outcome", "renewal"), RENEWALS.items(), ids=RENEWALS)
def test_a_renewal_is_counted_by_how_it_ended(
    outcome: str, renewal: LoggedIn | Kept | Ended
) -> None:
    provider = Provider()
    browser = Browser(Site(provider=provider))
    browser.log_in()
    provider.agreed, provider.renewal = "v2", renewal
    browser.get()
    assert browser.site.counted[1:] == [("renewals", outcome)]
