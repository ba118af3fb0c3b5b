"""The numbers that /metrics shows, in Prometheus' text format."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from proxy.event_writer import EventWriter
from proxy.open_connections import OpenConnections
from proxy.store.interface import Store
from proxy.upstream_pool import UpstreamPool

# The name of a metric, and its labels.
Series: TypeAlias = tuple[str, str]

GAUGE = "gauge"
COUNTER = "counter"


class Metric(NamedTuple):
    """One number and what it says.

    `labels` are as they are written, such as `kind="session"`. What all processes see alike
    (`is_shared`) is not added up: the largest counts.
    """

    name: str
    kind: str
    meaning: str
    value: float
    labels: str = ""
    is_shared: bool = False


def render(metrics: Iterable[Metric]) -> str:
    """Write metrics, those of one name together."""
    by_name: dict[str, list[Metric]] = {}
    for metric in metrics:
        by_name.setdefault(metric.name, []).append(metric)
    return "".join(f"{_head(each[0])}{''.join(map(_sample, each))}" for each in by_name.values())


def _head(metric: Metric) -> str:
    name = metric.name
    return f"# HELP {name} {metric.meaning}\n# TYPE {name} {metric.kind}\n"


def _sample(metric: Metric) -> str:
    labels = f"{{{metric.labels}}}" if metric.labels else ""
    return f"{metric.name}{labels} {metric.value:.15g}\n"


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


def store_metrics(store: Store) -> Iterator[Metric]:
    """Count what is in the store, and how often it could not be asked."""
    failures = store.failures
    yield Metric(
        "penstock_store_failures_total",
        COUNTER,
        "Requests that needed the store in vain.",
        0 if failures is None else failures.count,
    )
    yield Metric(
        "penstock_store_down",
        GAUGE,
        "1 while the store can't be asked.",
        failures is not None and failures.reason is not None,
        is_shared=True,
    )
    for count in store.counts():
        labels = f'kind="{count.kind}"'
        yield Metric(
            "penstock_store_entries",
            GAUGE,
            "Records in the store.",
            count.entries,
            labels,
            is_shared=True,
        )
        yield Metric(
            "penstock_store_evicted_total",
            COUNTER,
            "Records that had to go because there were too many.",
            count.evicted,
            labels,
        )


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

    _ended: dict[Series, Metric] = field(default_factory=dict)

    def of(self, reports: Iterable[Iterable[Metric]]) -> tuple[Metric, ...]:
        """Add up what running processes report and what ended ones have left."""
        total: dict[Series, Metric] = {}
        for report in (self._ended.values(), *reports):
            _add(total, report)
        return tuple(total.values())

    def end(self, report: Iterable[Metric]) -> None:
        """Keep the counters of a process that has ended."""
        _add(self._ended, (each for each in report if each.kind == COUNTER))


def _add(total: dict[Series, Metric], report: Iterable[Metric]) -> None:
    for metric in report:
        series = metric.name, metric.labels
        known = total.get(series)
        before = 0.0 if known is None else known.value
        value = max(before, metric.value) if metric.is_shared else before + metric.value
        total[series] = metric._replace(value=value)
