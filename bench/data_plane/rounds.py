"""One round: one proxy, one workload, for about a second."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import asdict, dataclass
from statistics import median

from bench.data_plane.accounting import cpu_s
from bench.data_plane.clients import Load
from bench.data_plane.site import LOOPBACK
from bench.data_plane.workloads import Client, Workload

PATIENCE_S = 30.0


class RoundError(Exception):
    """A round that could not be finished; the text says what was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a round, or the median of several, cost. `load_core` is the load's share of its core."""

    cpu_us: float
    p50_ms: float
    p99_ms: float
    per_s: float
    load_core: float


def middle(rounds: list[Round]) -> Round:
    """Return the median of each figure."""
    rows = [asdict(each) for each in rounds]
    return Round(**{name: median(row[name] for row in rows) for name in rows[0]})


async def run_round(workload: Workload, port: int, pid: int, seconds: float) -> Round:
    """Load a proxy for some seconds. What comes before, handshakes too, is not counted."""
    load = Load()
    clients, transports = await connect(workload, load, port)
    try:
        for client in clients:
            client.prepare()
        await quiet(load)
        return await measure(load, clients, pid, seconds)
    finally:
        load.busy = 0
        for transport in transports:
            transport.abort()


async def connect(
    workload: Workload, load: Load, port: int
) -> tuple[list[Client], list[asyncio.Transport]]:
    """Open a round's connections."""
    loop = asyncio.get_running_loop()
    context = untrusting() if workload.tls else None
    pairs = [
        await loop.create_connection(
            lambda number=number: workload.client(load, number),
            LOOPBACK, port, ssl=context,
        )
        for number in range(workload.connections)
    ]  # fmt: skip
    load.begin(len(pairs))
    return [client for _, client in pairs], [transport for transport, _ in pairs]


def untrusting() -> ssl.SSLContext:
    """Return a client's context that takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def quiet(load: Load) -> None:
    """Wait until all clients are done."""
    try:
        await asyncio.wait_for(load.quiet.wait(), PATIENCE_S)
    except TimeoutError:
        raise RoundError(f"{load.busy} clients wait in vain") from None
    if load.failures:
        raise RoundError(load.failures[0])


async def measure(load: Load, clients: list[Client], pid: int, seconds: float) -> Round:
    """Let the clients run, and read the clocks before and after."""
    cpu, own, began = cpu_s(pid), time.process_time(), time.perf_counter()
    load.ends = began + seconds
    load.begin(len(clients))
    for client in clients:
        client.begin()
    await quiet(load)
    took = time.perf_counter() - began
    cpu, own = cpu_s(pid) - cpu, time.process_time() - own
    latencies = sorted(load.latencies_s)
    count = len(latencies)
    return Round(
        cpu_us=cpu / count * 1e6,
        p50_ms=latencies[count // 2] * 1e3,
        p99_ms=latencies[count * 99 // 100] * 1e3,
        per_s=count / took,
        load_core=own / took,
    )
