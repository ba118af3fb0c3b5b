"""The counts of several processes add up, and never go back."""

from __future__ import annotations

from proxy.metrics import COUNTER, GAUGE, Metric, Sum


def report(open_now: int, events: int) -> tuple[Metric, ...]:
    return (Metric("open", GAUGE, "o", open_now), Metric("events", COUNTER, "e", events))


def values(metrics: tuple[Metric, ...]) -> dict[str, float]:
    return {each.name: each.value for each in metrics}


def test_reports_add_up() -> None:
    assert values(Sum().of([report(1, 10), report(2, 20)])) == {"open": 3, "events": 30}


def test_what_an_ended_process_has_counted_stays_and_what_it_held_does_not() -> None:
    total = Sum()
    total.end(report(5, 7))
    total.end(report(5, 3))
    assert values(total.of([report(1, 10)])) == {"events": 20, "open": 1}


def test_a_metric_is_three_lines() -> None:
    assert report(3, 0)[0].render() == "# HELP open o\n# TYPE open gauge\nopen 3\n"
