"""Ten minutes of mixed load with faults: nothing unexpected, nothing leaked, memory flat.

    python bench/soak.py [--seconds 600] [--clients 200] [--workers 2] [--slow-heads 5000]

Clients keep alive, talk WebSocket, follow event streams, read slowly, write slowly and abort, while
the policy is changed every 5 s and the upstream is killed every 20 s. Then slow heads are held open
and what honest clients wait is measured against the time before. Prints JSON. Exit status: 0 all
is well, 1 something is not (`failures` says what), 2 misuse.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.data_plane.site import free_port
from bench.soaking.clients import KINDS, client
from bench.soaking.faults import (
    OUTAGE_EVERY_S,
    OUTAGE_S,
    RELOAD_EVERY_S,
    change_policy,
    kill_upstream,
    start_upstream,
)
from bench.soaking.penstock import Penstock
from bench.soaking.record import Record
from bench.soaking.slow_heads import SlowHeads, measure_slow_heads

SETTLED_LOOKS = 10
LEAKS = ("penstock_connections", "penstock_upstream_connections", "penstock_tasks")
EMPTY_WITHIN_S = 60.0
MEMORY_GROWTH, SLOW_HEADS_RATIO = 1.1, 2.0
# An upstream takes a while to start, and a reload to be noticed, on a busy machine.
PUNCTUALITY = 0.7


@dataclass
class Soak:
    """Everything a soak has found. `memory_mb` has a sample for each second."""

    seconds: float
    record: Record
    memory_mb: list[float] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    slow_heads: SlowHeads | None = None
    exit_code: int = 0
    log: str = ""

    @property
    def third_and_last_mb(self) -> tuple[float, float]:
        """The means of the third and the last tenth: minutes, when it runs for ten."""
        tenth = max(1, len(self.memory_mb) // 10)
        third = self.memory_mb[2 * tenth : 3 * tenth]
        return statistics.mean(third), statistics.mean(self.memory_mb[-tenth:])


async def run(options: argparse.Namespace, folder: Path) -> Soak:
    """Run the load, then the slow heads; end the proxy politely."""
    upstream = free_port()
    proxy = Penstock(folder, upstream, options.workers)
    soak = Soak(options.seconds, Record(proxy.port))
    flapping = asyncio.create_task(kill_upstream(soak.record, upstream))
    try:
        descriptors = await settled(proxy)
        idle = await asyncio.to_thread(proxy.metrics)
        await load(proxy, soak, options.clients)
        soak.left += await leftovers(proxy, idle, descriptors)
        flapping.cancel()
        await asyncio.gather(flapping, return_exceptions=True)
        if options.slow_heads:
            steady = await start_upstream(upstream)
            soak.slow_heads = await measure_slow_heads(proxy.port, options.slow_heads)
            soak.left += await leftovers(proxy, idle, descriptors)
            steady.kill()
        soak.metrics = await asyncio.to_thread(proxy.metrics)
        proxy.process.terminate()
        soak.exit_code = await asyncio.to_thread(proxy.process.wait, 60)
    finally:
        flapping.cancel()
        proxy.process.kill()
    soak.log = proxy.log.read_text()
    return soak


async def settled(proxy: Penstock) -> int:
    """Return the descriptors of an idle proxy, once all its workers have opened what they need.

    The first worker makes it ready; the others, and every worker's store, may come seconds later.
    """
    held, looks = -1, 0
    while looks < SETTLED_LOOKS:
        await asyncio.sleep(0.5)
        now = proxy.descriptors()
        held, looks = now, looks + 1 if now == held else 0
    return held


async def load(proxy: Penstock, soak: Soak, clients: int) -> None:
    """Let all clients work while policies change, and watch the memory."""
    kinds = [kind for kind, share in KINDS.items() for _ in range(share)]
    background = [
        asyncio.create_task(change_policy(proxy)),
        asyncio.create_task(watch_memory(proxy, soak.memory_mb)),
    ]
    working = [
        asyncio.create_task(client(soak.record, kinds[number % len(kinds)]))
        for number in range(clients)
    ]
    await asyncio.sleep(soak.seconds)
    soak.record.done = True
    await asyncio.gather(*working)
    for task in background:
        task.cancel()
    await asyncio.gather(*background, return_exceptions=True)


async def watch_memory(proxy: Penstock, samples: list[float]) -> None:
    while True:
        await asyncio.sleep(1)
        samples.append(proxy.memory_mb())


async def leftovers(proxy: Penstock, idle: dict[str, float], descriptors: int) -> list[str]:
    """Wait until everything is as it was before; say what is not."""
    left: list[str] = []
    for _ in range(int(EMPTY_WITHIN_S * 2)):
        now = await asyncio.to_thread(proxy.metrics)
        left = [
            f"{name} is {now[name]:g}, was {idle[name]:g}"
            for name in LEAKS
            if now[name] > idle[name]
        ]
        if (held := proxy.descriptors()) > descriptors:
            left.append(f"descriptors are {held}, were {descriptors}")
        if not left:
            break
        await asyncio.sleep(0.5)
    return left


def failures(soak: Soak) -> list[str]:
    """Return all that is not as it should be."""
    found = list(soak.left)
    third, last = soak.third_and_last_mb
    if last > MEMORY_GROWTH * third:
        found.append(f"memory grew from {third:.1f} to {last:.1f} MB")
    if soak.metrics["penstock_worker_restarts_total"]:
        found.append(f"{soak.metrics['penstock_worker_restarts_total']:g} workers died")
    if soak.exit_code:
        found.append(f"exit code {soak.exit_code}")
    if "Traceback" in soak.log or "internal error" in soak.log:
        found.append("the log tells of an internal error:\n" + soak.log[-3000:])
    unexpected = Counter(text.partition(" after ")[0] for text in soak.record.unexpected)
    found += [f"{text} ({count} times)" for text, count in unexpected.most_common(20)]
    return found + slow_head_failures(soak.slow_heads) + missing_faults(soak)


def slow_head_failures(heads: SlowHeads | None) -> list[str]:
    if heads is None:
        return []
    found = []
    if heads.ratio > SLOW_HEADS_RATIO:
        found.append(f"slow heads raise the p99 by {heads.ratio:.2f}")
    if heads.held < heads.asked:
        found.append(f"only {heads.held} of {heads.asked} slow heads were held: nothing is proved")
    return found


def missing_faults(soak: Soak) -> list[str]:
    """Say what has not happened that should have: a soak without it would prove nothing."""
    found = []
    reloads = soak.metrics["penstock_config_reloads_total"]
    if reloads < PUNCTUALITY * (soak.seconds // RELOAD_EVERY_S):
        found.append(f"only {reloads:g} reloads")
    if not soak.metrics["penstock_config_last_reload_successful"]:
        found.append("the last reload failed")
    outages = len(soak.record.outages)
    if outages < PUNCTUALITY * (soak.seconds // (OUTAGE_EVERY_S + OUTAGE_S)):
        found.append(f"only {outages} outages")
    idle = [kind.__name__ for kind in KINDS if not soak.record.completed[kind.__name__]]
    return found + [f"{name} never got what it asked for" for name in idle]


def report(soak: Soak) -> dict[str, object]:
    """Return what is printed."""
    third, last = soak.third_and_last_mb
    heads = soak.slow_heads
    return {
        "seconds": soak.seconds,
        "statuses": dict(sorted(soak.record.statuses.items())),
        "excused_by_outages": dict(sorted(soak.record.excused.items())),
        "outages": len(soak.record.outages),
        "reloads": soak.metrics["penstock_config_reloads_total"],
        "events": soak.metrics["penstock_events_total"],
        "events_lost": soak.metrics["penstock_events_dropped_total"],
        "memory_mb": {"third_tenth": round(third, 1), "last_tenth": round(last, 1)},
        "slow_heads": {**asdict(heads), "ratio": heads.ratio} if heads else {},
        "failures": failures(soak),
    }


def main() -> int:
    """Soak, print, and return the exit status."""
    parser = argparse.ArgumentParser(description="ten minutes of mixed load with faults")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--slow-heads", type=int, default=5000)
    options = parser.parse_args()
    if options.seconds < 10:
        parser.error("memory is compared by tenths: --seconds takes 10 or more")
    _, granted = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (granted, granted))
    with tempfile.TemporaryDirectory() as folder:
        found = report(asyncio.run(run(options, Path(folder))))
    print(json.dumps(found, indent=2))
    return 1 if found["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
