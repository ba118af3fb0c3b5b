"""What Penstock promises, as ratios within one run, and whether the run bears it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Literal

from bench.data_plane.results import Results
from bench.data_plane.rounds import middle
from bench.data_plane.workloads import DOWNLOAD, GET, Workload

Verdict = Literal["met", "missed", "not judged"]
OURS, OURS_TEN, OURS_FIFTY = "penstock, no rules", "penstock, ten rules", "penstock, fifty rules"
AIOHTTP, ENVOY = "aiohttp, no rules", "envoy, no rules"
ENVOY_TEN, CADDY_TEN = "envoy, ten rules", "caddy, ten rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One promise. `value` is at most `limit`; it raises KeyError where something is missing."""

    title: str
    limit: float
    value: Callable[[Results], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A target with what was found; None when it could not be found."""

    title: str
    limit: float
    value: float | None

    @property
    def verdict(self) -> Verdict:
        """Whether the promise was kept."""
        if self.value is None:
            return "not judged"
        return "met" if self.value <= self.limit else "missed"


def cpu_ratio(workload: Workload, ours: str, theirs: str) -> Callable[[Results], float]:
    """Compare processor time, round by round: what slows one down slows its neighbour too."""

    def value(results: Results) -> float:
        found = results.rounds[workload.name]
        pairs = zip(found[ours], found[theirs], strict=True)
        return median(mine.cpu_us / other.cpu_us for mine, other in pairs)

    return value


def p99_ratio(results: Results) -> float:
    found = results.rounds[GET.name]
    return middle(found[OURS]).p99_ms / middle(found[ENVOY]).p99_ms


TARGETS = (
    Target(
        title="no rules: CPU of bare aiohttp", limit=0.40, value=cpu_ratio(GET, OURS, AIOHTTP)
    ),
    Target(title="no rules: CPU of Envoy", limit=1.0, value=cpu_ratio(GET, OURS, ENVOY)),
    Target(
        title="ten rules: CPU of Envoy with ten", limit=0.95,
        value=cpu_ratio(GET, OURS_TEN, ENVOY_TEN),
    ),
    Target(
        title="ten rules: CPU of Caddy with ten", limit=0.65,
        value=cpu_ratio(GET, OURS_TEN, CADDY_TEN),
    ),
    Target(
        title="fifty rules: CPU of no rules", limit=2.2, value=cpu_ratio(GET, OURS_FIFTY, OURS)
    ),
    Target(
        title="1 MiB bodies: CPU of bare aiohttp", limit=1.2,
        value=cpu_ratio(DOWNLOAD, OURS, AIOHTTP),
    ),
    Target(title="p99 at 32 connections, of Envoy's", limit=1.5, value=p99_ratio),
    Target(
        title="an idle worker's memory, MB", limit=60.0,
        value=lambda results: results.facts[OURS].idle_mb,
    ),
    Target(
        title="start until the first answer, s", limit=1.5,
        value=lambda results: results.facts[OURS].start_s,
    ),
)  # fmt: skip


def judge(results: Results) -> list[Judged]:
    """Judge every target."""
    return [
        Judged(title=each.title, limit=each.limit, value=value_or_none(each, results))
        for each in TARGETS
    ]


def value_or_none(target: Target, results: Results) -> float | None:
    try:
        return target.value(results)
    except KeyError:
        return None


def exit_status(judged: list[Judged]) -> int:
    """Return 0 when all are met, 1 when one is missed, 3 when none is but some are not judged."""
    verdicts = {each.verdict for each in judged}
    if "missed" in verdicts:
        return 1
    return 3 if "not judged" in verdicts else 0
