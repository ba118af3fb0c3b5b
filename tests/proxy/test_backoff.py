"""What fails again and again is started ever more slowly."""

from __future__ import annotations

from proxy.backoff import LONG_LIFE_S, LONGEST_S, Backoff


def test_each_early_death_doubles_the_wait_up_to_a_bound() -> None:
    backoff = Backoff()
    waits = [backoff.after(0.1) for _ in range(10)]
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert waits[-1] == LONGEST_S


def test_a_long_life_is_restarted_at_once_and_forgives_the_past() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.after(0.1)
    assert backoff.after(LONG_LIFE_S) == 0
    assert backoff.after(0.1) == 0.5
