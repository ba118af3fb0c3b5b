"""The numbers that /metrics shows, in Prometheus' text format."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from proxy.event_writer import EventWriter
from proxy.open_connections import OpenConnections
from proxy.upstream_pool import UpstreamPool

GAUGE = "gauge"
COUNTER = "counter"


class Metric(NamedTuple):
    """One number and what it says."""

    name: str
    kind: str
    meaning: str
    value: float

    def render(self) -> str:
        """Return the lines that stand for it."""
        return (
            f"# HELP {self.name} {self.meaning}\n# TYPE {self.name} {self.kind}\n"
            f"{self.name} {self.value:.15g}\n"
        )


def traffic_metrics(
    *, connections: OpenConnections, pool: UpstreamPool, writer: EventWriter | None
) -> Iterator[Metric]:
    """Count what one process does; those of several processes can be added up."""
    yield Metric("penstock_connections", GAUGE, "Open client connections.", connections.total)
    yield Metric(
        "penstock_connections_refused_total",
        COUNTER,
        "Connections refused because a bound was reached.",
        connections.refused,
    )
    yield Metric(
        "penstock_upstream_connections", GAUGE, "Open connections to upstreams.", pool.open
    )
    yield Metric(
        "penstock_tasks", GAUGE, "Pieces of work in progress inside.", len(asyncio.all_tasks())
    )
    if writer is not None:
        yield Metric("penstock_events_total", COUNTER, "Events written.", writer.written)
        yield Metric("penstock_events_dropped_total", COUNTER, "Events lost.", writer.dropped)


@dataclass(slots=True)
class ReloadCounts:
    """How attempts to load the configuration anew have ended."""

    good: int = 0
    bad: int = 0
    last_is_good: bool = True

    def count(self, *, good: bool) -> None:
        """Take one more."""
        self.last_is_good = good
        if good:
            self.good += 1
        else:
            self.bad += 1

    def metrics(self) -> Iterator[Metric]:
        """Show them."""
        yield Metric(
            "penstock_config_last_reload_successful",
            GAUGE,
            "1 when what runs is what the files say.",
            self.last_is_good,
        )
        yield Metric(
            "penstock_config_reloads_total", COUNTER, "Reloads that took effect.", self.good
        )
        yield Metric(
            "penstock_config_reloads_refused_total",
            COUNTER,
            "Reloads refused because the configuration was bad.",
            self.bad,
        )


@dataclass(slots=True)
class Sum:
    """The metrics of several processes added up, in the order in which they first came.

    Counters of a process that has ended stay in the sum: a counter never goes back.
    """

    _ended: dict[str, Metric] = field(default_factory=dict)

    def of(self, reports: Iterable[Iterable[Metric]]) -> tuple[Metric, ...]:
        """Add up what running processes report and what ended ones have left."""
        total: dict[str, Metric] = {}
        for report in (self._ended.values(), *reports):
            _add(total, report)
        return tuple(total.values())

    def end(self, report: Iterable[Metric]) -> None:
        """Keep the counters of a process that has ended."""
        _add(self._ended, (each for each in report if each.kind == COUNTER))


def _add(total: dict[str, Metric], report: Iterable[Metric]) -> None:
    for metric in report:
        known = total.get(metric.name)
        before = 0.0 if known is None else known.value
        total[metric.name] = metric._replace(value=before + metric.value)
