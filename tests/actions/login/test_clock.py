"""OA-21: a clock that is set, forwards or back, does not keep sessions alive.

The store has a clock of its own, which nobody sets.
"""

from __future__ import annotations

import pytest

from policy.memory_store import MemoryStore
from tests.actions.login.rig import Browser, Site, reason, status

HOUR_S = 3600
LIMITED = (
    "on_http_request: [{actions: [{type: test-login, config: "
    "{max_session_duration: 2h, idle_session_timeout: 30m}}]}]"
)
LASTING = LIMITED.replace(", idle_session_timeout: 30m", "")
# How long the store may know of a session that is over, to say why.
GRACE_S = 600


class SteadySite(Site):
    """A site whose store goes by another clock."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.steady_s = 0.0
        self.store = MemoryStore(now=lambda: self.steady_s)

    def live(self, seconds: float) -> None:
        """Let time pass, by both clocks."""
        self.pass_time(seconds)
        self.steady_s += seconds


def logged_in(text: str = LIMITED) -> tuple[SteadySite, Browser]:
    site = SteadySite(text)
    browser = Browser(site)
    browser.log_in()
    return site, browser


def test_a_clock_that_jumps_ahead_ends_sessions() -> None:
    site, browser = logged_in()
    site.pass_time(24 * HOUR_S)
    assert reason(browser.get()) == "session-max-duration-reached"
    site.pass_time(-24 * HOUR_S)
    assert status(browser.get()) == 302


@pytest.mark.parametrize("back_s", [HOUR_S, 1000 * HOUR_S])
def test_a_clock_that_is_set_back_keeps_no_idle_session(back_s: int) -> None:
    site, browser = logged_in()
    site.pass_time(-back_s)
    assert status(browser.get()) == 200
    site.live(1800 + GRACE_S)
    assert status(browser.get()) == 302


@pytest.mark.parametrize("text", [LIMITED, LASTING], ids=["idle timeout", "none"])
@pytest.mark.parametrize("back_s", [HOUR_S, 1000 * HOUR_S])
def test_a_clock_that_is_set_back_doubles_a_busy_session_at_most(back_s: int, text: str) -> None:
    site, browser = logged_in(text)
    site.pass_time(-back_s)
    lasted_s = 0
    while status(browser.get()) == 200:
        site.live(60)
        lasted_s += 60
        assert lasted_s <= 2 * HOUR_S + min(back_s, 2 * HOUR_S) + GRACE_S
