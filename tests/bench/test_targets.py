"""A run is judged by its own ratios, and a peer that is missing excuses nothing."""

from __future__ import annotations

import pytest

from bench.data_plane.contenders import CONTENDERS
from bench.data_plane.results import Facts, Results
from bench.data_plane.rounds import Round
from bench.data_plane.targets import (
    AIOHTTP,
    CADDY_TEN,
    ENVOY,
    ENVOY_TEN,
    OURS,
    OURS_FIFTY,
    OURS_TEN,
    Verdict,
    exit_status,
    judge,
)
from bench.data_plane.workloads import DOWNLOAD, GET

CPU_US = {
    GET.name: {
        OURS: 35.0, OURS_TEN: 53.0, OURS_FIFTY: 70.0, AIOHTTP: 217.0, ENVOY: 85.0,
        ENVOY_TEN: 106.0, CADDY_TEN: 147.0,
    },
    DOWNLOAD.name: {OURS: 500.0, AIOHTTP: 700.0},
}  # fmt: skip


def found(**changes: float) -> Results:
    """Return a run in which all targets are met, but for what is changed."""
    results = Results()
    for workload, costs in CPU_US.items():
        for name, cpu_us in costs.items():
            for factor in (1.0, 3.0, 1.1):  # the machine was busy in the second round
                cost = changes.get(name, cpu_us) * factor
                results.add(workload, name, a_round(cpu_us=cost))
    results.facts[OURS] = Facts(version="1", start_s=0.5, idle_mb=changes.get("idle_mb", 50.0))
    return results


def a_round(*, cpu_us: float) -> Round:
    return Round(cpu_us=cpu_us, p50_ms=1.0, p99_ms=2.0, per_s=1000.0, load_core=0.5)


def verdicts(results: Results) -> list[Verdict]:
    return [each.verdict for each in judge(results)]


def test_a_run_that_meets_all_targets_ends_with_0() -> None:
    judged = judge(found())
    assert {each.verdict for each in judged} == {"met"}
    assert exit_status(judged) == 0


def test_one_missed_target_ends_with_1() -> None:
    results = found(idle_mb=61.0)
    assert verdicts(results).count("missed") == 1
    assert exit_status(judge(results)) == 1


def test_ratios_are_of_neighbouring_rounds() -> None:
    ratio = next(each for each in judge(found()) if each.title == "no rules: CPU of Envoy")
    assert ratio.value == pytest.approx(35 / 85)


def test_a_missing_peer_leaves_its_targets_open_and_ends_with_3() -> None:
    results = found()
    for contender in (ENVOY, ENVOY_TEN):
        del results.rounds[GET.name][contender]
    assert verdicts(results).count("not judged") == 3
    assert exit_status(judge(results)) == 3


def test_a_missed_target_counts_more_than_one_left_open() -> None:
    results = found(idle_mb=61.0)
    del results.rounds[GET.name][ENVOY]
    assert exit_status(judge(results)) == 1


def test_a_contender_that_fails_is_not_judged_by_its_first_rounds() -> None:
    results = found()
    results.fail(GET.name, ENVOY, "connection lost")
    assert "not judged" in verdicts(results)


def test_all_that_targets_name_takes_part() -> None:
    named = {name for costs in CPU_US.values() for name in costs}
    assert named <= {contender.name for contender in CONTENDERS}
