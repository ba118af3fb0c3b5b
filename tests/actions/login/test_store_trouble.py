"""A store that fails in the middle: whatever it is asked when it does, nobody gets in by that.

Each story is played once in good order, to count what it asks of the store, and then again for
each of those questions, with a store that can't answer that one, or none from there on (P1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from actions.login.protocol import LogoutNotice
from actions.login.renewal import LEASE_S
from actions.login.session import SESSIONS
from policy.evaluation import Evaluation
from policy.memory_store import MemoryStore
from policy.store import StoreFind, StoreUnavailable
from tests.actions.login.rig import (
    PROVIDER,
    Browser,
    LoggedIn,
    Provider,
    Site,
    field_of,
    reason,
    status,
)

DOWN: Final = StoreUnavailable(reason="store-unreachable")


class FailingStore:
    """A store that works but for its answers from one number up to another."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.real = MemoryStore(now=lambda: site.now_ns / 10**9)
        self.asked = 0
        self.fails: range = range(0)

    def answer(self, effect: Any) -> Any:
        number, self.asked = self.asked, self.asked + 1
        return DOWN if number in self.fails else self.real.answer(effect)

    def sessions(self) -> int:
        return len(self.real.answer(StoreFind(kind=SESSIONS, limit=100)))


@dataclass
class Stage:
    site: Site
    store: FailingStore
    browser: Browser


def stage() -> Stage:
    site = Site(provider=Provider(logout_url=f"{PROVIDER}/logout"))
    store = site.store = FailingStore(site)
    return Stage(site, store, Browser(site))


def begin(on: Stage) -> Callable[[], Evaluation]:
    return lambda: on.browser.get("/orders")


def ask_for_login(on: Stage) -> Callable[[], Evaluation]:
    return lambda: on.browser.get("/ngrok/login")


def come_back(on: Stage) -> Callable[[], Evaluation]:
    on.browser.get("/orders")
    return on.browser.come_back


def come_back_again(on: Stage) -> Callable[[], Evaluation]:
    """Log in over an older session, which has to end."""
    on.browser.log_in()
    on.browser.get("/ngrok/login")
    return on.browser.come_back


def come_back_twice(on: Stage) -> Callable[[], Evaluation]:
    on.browser.log_in()
    return lambda: on.browser.get("/ngrok/oauth2/callback?state=used&code=c")


def ask(on: Stage) -> Callable[[], Evaluation]:
    on.browser.log_in()
    on.site.pass_time(70)
    return on.browser.get


def ask_too_late(on: Stage) -> Callable[[], Evaluation]:
    on.browser.log_in()
    on.site.pass_time(86_401)
    return on.browser.get


def renew(on: Stage) -> Callable[[], Evaluation]:
    finish = on.site.provider.finish
    assert isinstance(finish, LoggedIn)
    on.browser.log_in()
    on.site.provider.agreed = "v2"
    on.site.provider.renewal = replace(
        finish, tokens=replace(finish.tokens, refresh_token="refresh-2")
    )
    return on.browser.get


def log_out(on: Stage) -> Callable[[], Evaluation]:
    on.browser.log_in()
    return lambda: on.browser.get("/ngrok/logout")


def come_back_from_logout(on: Stage) -> Callable[[], Evaluation]:
    on.browser.log_in()
    on.browser.get("/ngrok/logout?redirect_path=/bye")
    return lambda: on.browser.get(f"/ngrok/logout?state={on.browser.state}")


def notice(on: Stage) -> Callable[[], Evaluation]:
    on.browser.log_in()
    on.site.provider.notice = LogoutNotice(subject="alice")
    form = (("Content-Type", "application/x-www-form-urlencoded"),)
    nobody = Browser(on.site)
    return lambda: nobody.ask("POST", "/ngrok/backchannel-logout", headers=form, body=b"x=y")


STORIES: Final[dict[str, Callable[[Stage], Callable[[], Evaluation]]]] = {
    each.__name__: each
    for each in (
        begin, ask_for_login, come_back, come_back_again, come_back_twice, ask, ask_too_late,
        renew, log_out, come_back_from_logout, notice,
    )
}  # fmt: skip


def questions(story: Callable[[Stage], Callable[[], Evaluation]]) -> int:
    on = stage()
    last = story(on)
    before = on.store.asked
    assert status(last()) < 400
    return on.store.asked - before


CASES: Final = {
    f"{name}, question {number + 1}, {how}": (story, number, how)
    for name, story in STORIES.items()
    for number in range(questions(story))
    for how in ("only that", "and all after")
}


@pytest.mark.parametrize(("story", "number", "how"), CASES.values(), ids=CASES)
def test_p1_a_store_that_fails_at_any_point_admits_nobody_and_is_no_fault_of_ours(
    story: Callable[[Stage], Callable[[], Evaluation]], number: int, how: str
) -> None:
    on = stage()
    last = story(on)
    first = on.store.asked + number
    on.store.fails = range(first, first + 1 if how == "only that" else first + 10_000)
    answer = last()
    assert status(answer) in (200, 302, 503), reason(answer)
    if status(answer) == 503:
        assert field_of(answer, "retry-after") != ""
        assert answer.upstream_request is None
        # A cookie that is taken away, or given for nothing, would look like success.
        assert "session=" not in field_of(answer, "set-cookie")
    elif answer.upstream_request is not None:
        # Whoever is let through has a session, as far as the store could be asked.
        assert story in (ask, renew)
        assert on.store.sessions() == 1
    # The trouble is over: who has a session goes on, who has none logs in.
    on.store.fails = range(0)
    # As long as nobody else asks for a renewal that was not finished.
    on.site.pass_time(LEASE_S)
    assert status(on.browser.get("/orders")) in (200, 302)


@pytest.mark.parametrize("number", range(questions(log_out)))
def test_a_logout_that_says_so_has_ended_the_session(number: int) -> None:
    on = stage()
    last = log_out(on)
    on.store.fails = range(on.store.asked + number, on.store.asked + number + 1)
    answer = last()
    assert (on.store.sessions() == 0) == (status(answer) != 503)


@pytest.mark.parametrize("number", range(questions(come_back_again)))
def test_oa_9_a_login_that_succeeds_has_ended_the_older_session(number: int) -> None:
    on = stage()
    last = come_back_again(on)
    on.store.fails = range(on.store.asked + number, on.store.asked + number + 1)
    answer = last()
    if reason(answer) == "logged-in":
        assert on.store.sessions() == 1


@pytest.mark.parametrize("number", range(questions(renew)))
def test_oa_14_what_the_provider_gave_is_not_lost_by_a_moment_without_the_store(
    number: int,
) -> None:
    on = stage()
    last = renew(on)
    on.store.fails = range(on.store.asked + number, on.store.asked + number + 1)
    last()
    on.store.fails = range(0)
    [kept] = on.store.real.answer(StoreFind(kind=SESSIONS, limit=100))
    asked = on.site.provider.renewals
    assert kept.value.tokens.refresh_token == ("refresh-2" if asked else "refresh-1")
