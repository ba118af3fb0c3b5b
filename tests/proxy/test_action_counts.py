"""What actions count, and how it is shown."""

from __future__ import annotations

from actions.login.callback import LOGGED_IN, LOGINS
from actions.login.renewal import RENEWALS
from proxy.action_counts import COUNTED, ActionCounts
from proxy.metrics import render


def test_what_actions_count_is_known() -> None:
    assert set(COUNTED) == {LOGINS, RENEWALS}
    assert LOGGED_IN in COUNTED[LOGINS].usual


def test_outcomes_are_counted_one_by_one() -> None:
    counts = ActionCounts()
    for outcome in ("logged-in", "login-not-pending", "logged-in"):
        counts.add("logins", outcome)
    counts.add("renewals", "kept")
    lines = render(counts.metrics()).splitlines()
    assert 'penstock_logins_total{reason="logged-in"} 2' in lines
    assert 'penstock_logins_total{reason="login-not-pending"} 1' in lines
    assert 'penstock_session_renewals_total{outcome="kept"} 1' in lines


def test_usual_outcomes_are_shown_before_they_happen() -> None:
    shown = render(ActionCounts().metrics())
    assert 'penstock_session_renewals_total{outcome="ended"} 0' in shown
    assert "# TYPE penstock_logins_total counter" in shown
