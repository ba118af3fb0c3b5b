"""What honest clients wait while thousands of others never finish the head of their request."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass

from bench.data_plane.site import LOOPBACK

HONEST_CLIENTS = 20
# Together well below the time that a head may take (20 s): the slow ones have to stay.
RUNS, RUN_S = 5, 2.0
# Many at a time would overflow the listener's queue, and be our own fault.
OPEN_AT_A_TIME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowHeads:
    """The p99 of honest clients without (before and after) and with slow heads.

    `held` connections were open to the end.
    """

    without_ms: float
    during_ms: float
    asked: int
    held: int

    @property
    def ratio(self) -> float:
        """How many times longer the honest wait."""
        return self.during_ms / self.without_ms


class SlowHead(asyncio.Protocol):
    """Sends half a head, and waits."""

    def __init__(self) -> None:
        self.is_open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(b"GET / HTTP/1.1\r\nHost: so")  # type: ignore[attr-defined]

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.is_open = False


async def measure_slow_heads(port: int, number: int) -> SlowHeads:
    """Measure honest clients without, with, and again without so many slow heads."""
    without = await p99s_ms(port)
    slow = await open_slow_heads(port, number)
    during = await p99s_ms(port)
    held = sum(each.is_open for each in slow)
    for each in slow:
        each.transport.abort()  # type: ignore[attr-defined]
    without += await p99s_ms(port)
    return SlowHeads(
        without_ms=statistics.median(without),
        during_ms=statistics.median(during),
        asked=number,
        held=held,
    )


async def open_slow_heads(port: int, number: int) -> list[SlowHead]:
    loop = asyncio.get_running_loop()
    slow: list[SlowHead] = []
    while len(slow) < number:
        some = min(OPEN_AT_A_TIME, number - len(slow))
        opened = await asyncio.gather(
            *(loop.create_connection(SlowHead, LOOPBACK, port) for _ in range(some))
        )
        slow += (protocol for _, protocol in opened)
    return slow


async def p99s_ms(port: int) -> list[float]:
    """Return the p99 of each of several short runs: one hiccup of the machine is no news."""
    runs = []
    for _ in range(RUNS):
        latencies: list[float] = []
        end = time.monotonic() + RUN_S
        await asyncio.gather(*(honest(port, end, latencies) for _ in range(HONEST_CLIENTS)))
        runs.append(statistics.quantiles(latencies, n=100)[98] * 1000)
    return runs


async def honest(port: int, end: float, latencies: list[float]) -> None:
    """Ask 50 times a second on one connection."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    while time.monotonic() < end:
        began = time.perf_counter()
        writer.write(b"GET /small HTTP/1.1\r\nHost: soak.test\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"an honest client gets {head[:40]!r}")
        await reader.readexactly(1)
        latencies.append(time.perf_counter() - began)
        await asyncio.sleep(0.02)
    writer.close()
