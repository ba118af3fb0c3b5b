"""The numbers that /metrics shows, in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from proxy.event_writer import EventWriter
from proxy.open_connections import OpenConnections
from proxy.reload import ReloadResult

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


def server_metrics(
    *,
    connections: OpenConnections,
    writer: EventWriter | None,
    last: ReloadResult,
    reloads: Mapping[bool, int],
) -> Iterator[Metric]:
    """Count what the server does; `reloads` are those that were good and those that were not."""
    yield Metric("penstock_connections", GAUGE, "Open client connections.", connections.total)
    yield Metric(
        "penstock_connections_refused_total",
        COUNTER,
        "Connections closed because a bound was reached.",
        connections.refused,
    )
    if writer is not None:
        yield Metric("penstock_events_total", COUNTER, "Events written.", writer.written)
        yield Metric("penstock_events_dropped_total", COUNTER, "Events lost.", writer.dropped)
    yield Metric(
        "penstock_config_last_reload_successful",
        GAUGE,
        "1 when what runs is what the files say.",
        last.error is None,
    )
    yield Metric(
        "penstock_config_reloads_total", COUNTER, "Reloads that took effect.", reloads[True]
    )
    yield Metric(
        "penstock_config_reloads_refused_total",
        COUNTER,
        "Reloads refused because the configuration was bad.",
        reloads[False],
    )
