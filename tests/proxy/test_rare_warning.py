"""A warning comes at once, then once a minute with the sum."""

from __future__ import annotations

from proxy.rare_warning import RareWarning


def test_the_first_is_said_at_once_and_the_rest_a_minute_later() -> None:
    said: list[str] = []
    now = [1000.0]
    warning = RareWarning(said.append, "events lost", clock=lambda: now[0])
    warning.note(1, "disk full")
    warning.note(2, "disk full")
    now[0] += 59.9
    warning.note(3, "disk full")
    assert said == ["penstock: events lost: 1 (disk full)"]
    now[0] += 0.1
    warning.note(4, "pipe closed")
    assert said[1:] == ["penstock: events lost: 9 (pipe closed)"]
