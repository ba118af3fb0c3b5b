"""The counts of several processes add up, and never go back."""

from __future__ import annotations

from proxy.metrics import COUNTER, GAUGE, Metric, Sum, render


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
    assert render(report(3, 0)[:1]) == "# HELP open o\n# TYPE open gauge\nopen 3\n"


def test_metrics_of_one_name_stand_together() -> None:
    kinds = [Metric("entries", GAUGE, "e", count, f'kind="{count}"') for count in (1, 2)]
    text = render([kinds[0], *report(3, 0)[:1], kinds[1]])
    assert text.startswith(
        '# HELP entries e\n# TYPE entries gauge\nentries{kind="1"} 1\nentries{kind="2"} 2\n# HELP'
    )


def test_what_all_processes_see_alike_is_not_added_up() -> None:
    reports = [[Metric("entries", GAUGE, "e", count, is_shared=True)] for count in (7, 9, 8)]
    assert [each.value for each in Sum().of(reports)] == [9]
