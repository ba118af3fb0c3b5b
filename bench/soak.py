"""Ten minutes of mixed load with faults: nothing unexpected, nothing leaked, memory flat.

    python bench/soak.py [--seconds 600] [--clients 200] [--workers 2] [--slow-heads 5000]

Clients keep alive, talk WebSocket, follow event streams, read slowly, write slowly and abort, while
the policy is changed every 5 s and the upstream is killed every 20 s. Then slow heads are held open
and what honest clients wait is measured against the time before. Exit code 1 when anything failed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

from soak_clients import KINDS, LOOPBACK, Soak, client

HERE = Path(__file__).parent
RELOAD_S = 5.0
OUTAGE_EVERY_S = 20.0
OUTAGE_S = 1.0
HONEST_CLIENTS = 20
MEASURE_S = 8.0
POLICY = """
on_http_request:
  - expressions: ["req.url.path.startsWith('/admin')"]
    actions: [{type: deny}]
  - actions: [{type: add-headers, config: {headers: {x-version: "%d"}}}]
on_http_response:
  - actions: [{type: add-headers, config: {headers: {x-version: "%d"}}}]
"""


def free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as taken:
        return int(taken.getsockname()[1])


class Proxy:
    """Penstock as its users run it."""

    def __init__(self, folder: Path, upstream: int, workers: int) -> None:
        self.port, self.admin = free_port(), free_port()
        self.policy = folder / "policy.yml"
        self.change(0)
        config = folder / "penstock.yml"
        config.write_text(
            f"listeners: [{{address: {LOOPBACK}:{self.port}}}]\nadmin: {LOOPBACK}:{self.admin}\n"
            f"workers: {workers}\nlimits: {{max_connections_per_address: 20000}}\n"
            f"endpoints: [{{upstream: {{url: {upstream}}}, traffic_policy_file: policy.yml}}]\n"
        )
        config.chmod(0o600)
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "penstock", "start", "--config", str(config),
             "--log", str(folder / "events")],
            stderr=self.log, env={**os.environ, "PYTHONPATH": str(HERE.parent)},
        )  # fmt: skip
        while not self.is_ready():
            assert self.process.poll() is None
            time.sleep(0.05)

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{self.admin}/readyz") as answer:
                return answer.status == 200
        except OSError:
            return False

    def change(self, number: int) -> None:
        fresh = self.policy.with_suffix(".new")
        fresh.write_text(POLICY % (number, number))
        fresh.replace(self.policy)

    def metrics(self) -> dict[str, float]:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{self.admin}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        return {line.split()[0]: float(line.split()[1]) for line in lines if line[0] != "#"}

    def processes(self) -> list[int]:
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
        return [pid, *map(int, children)]

    def resident_mb(self) -> float:
        pages = [
            int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
            for pid in self.processes()
        ]
        return sum(pages) * resource.getpagesize() / 1e6

    def descriptors(self) -> int:
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self.processes())


async def start_upstream(port: int) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "soak_upstream.py"), str(port), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    return process


async def kill_upstream(soak: Soak, port: int) -> None:
    """Let the upstream die every now and then, and come back a second later."""
    process = await start_upstream(port)
    try:
        while True:
            await asyncio.sleep(OUTAGE_EVERY_S)
            outage = [time.monotonic(), float("inf")]
            soak.outages.append(outage)
            process.kill()
            await process.wait()
            await asyncio.sleep(OUTAGE_S)
            process = await start_upstream(port)
            outage[1] = time.monotonic()
    finally:
        process.kill()


async def change_policy(proxy: Proxy) -> None:
    number = 0
    while True:
        await asyncio.sleep(RELOAD_S)
        number += 1
        proxy.change(number)


async def watch_memory(proxy: Proxy, samples: list[float]) -> None:
    while True:
        await asyncio.sleep(1)
        samples.append(proxy.resident_mb())


async def soaked(proxy: Proxy, soak: Soak, seconds: float, clients: int) -> list[float]:
    """Run the load; return the memory's samples in MB, one a second."""
    kinds = [kind for kind, share in KINDS.items() for _ in range(share)]
    samples: list[float] = []
    background = [
        asyncio.create_task(change_policy(proxy)),
        asyncio.create_task(watch_memory(proxy, samples)),
    ]
    working = [
        asyncio.create_task(client(soak, kinds[number % len(kinds)])) for number in range(clients)
    ]
    await asyncio.sleep(seconds)
    soak.done = True
    await asyncio.gather(*working)
    for task in background:
        task.cancel()
    await asyncio.gather(*background, return_exceptions=True)
    return samples


async def emptied(proxy: Proxy, idle: dict[str, float], descriptors: int) -> list[str]:
    """Wait until everything is as it was before; say what is not."""
    left: list[str] = []
    for _ in range(60):
        now = await asyncio.to_thread(proxy.metrics)
        left = [
            f"{name} is {now[name]:g}, was {idle[name]:g}"
            for name in ("penstock_connections", "penstock_upstream_connections", "penstock_tasks")
            if now[name] > idle[name]
        ]
        if (held := proxy.descriptors()) > descriptors:
            left.append(f"descriptors are {held}, were {descriptors}")
        if not left:
            break
        await asyncio.sleep(0.5)
    return left


async def honest(port: int, end: float, latencies: list[float]) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    while time.monotonic() < end:
        began = time.perf_counter()
        writer.write(b"GET /small HTTP/1.1\r\nHost: soak.test\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(1)
        latencies.append(time.perf_counter() - began)
        await asyncio.sleep(0.02)
    writer.close()


async def p99_ms(port: int) -> float:
    """Return the median of the p99 of several short runs: one hiccup of the machine is no news."""
    runs = []
    for _ in range(4):
        latencies: list[float] = []
        end = time.monotonic() + MEASURE_S / 4
        await asyncio.gather(*(honest(port, end, latencies) for _ in range(HONEST_CLIENTS)))
        runs.append(statistics.quantiles(latencies, n=100)[98] * 1000)
    return statistics.median(runs)


async def slow_heads(port: int, count: int) -> dict[str, float]:
    """Measure honest clients without and with many connections that never finish their head."""
    before = await p99_ms(port)
    held = []
    for number in range(count):
        held.append(await asyncio.open_connection(LOOPBACK, port))
        held[-1][1].write(b"GET / HTTP/1.1\r\nHost: so")
        if number % 100 == 0:
            await asyncio.sleep(0)
    during = await p99_ms(port)
    for _, writer in held:
        writer.transport.abort()
    return {"before_ms": before, "during_ms": during, "ratio": during / before}


async def run(arguments: argparse.Namespace, folder: Path) -> dict[str, object]:
    upstream = free_port()
    soak = Soak(0)
    proxy = Proxy(folder, upstream, arguments.workers)
    soak.port = proxy.port
    flapping = asyncio.create_task(kill_upstream(soak, upstream))
    failures: list[str] = []
    try:
        await asyncio.sleep(1)
        idle, descriptors = proxy.metrics(), proxy.descriptors()
        samples = await soaked(proxy, soak, arguments.seconds, arguments.clients)
        failures += await emptied(proxy, idle, descriptors)
        end = proxy.metrics()
        tenth = max(1, len(samples) // 10)
        third, last = (statistics.mean(part) for part in (
            samples[2 * tenth : 3 * tenth], samples[-tenth:]
        ))  # fmt: skip
        if last > 1.1 * third:
            failures.append(f"memory grew from {third:.1f} to {last:.1f} MB")
        flapping.cancel()
        await asyncio.gather(flapping, return_exceptions=True)
        steady = await start_upstream(upstream)
        heads = await slow_heads(proxy.port, arguments.slow_heads) if arguments.slow_heads else {}
        steady.kill()
        if heads and heads["ratio"] > 2:
            failures.append(f"slow heads raise the p99 by {heads['ratio']:.2f}")
        proxy.process.terminate()
        if code := await asyncio.to_thread(proxy.process.wait, 60):
            failures.append(f"exit code {code}")
    finally:
        flapping.cancel()
        proxy.process.kill()
    unexpected = Counter(text.partition(" after ")[0] for text in soak.unexpected)
    failures += [f"{text} ({count} times)" for text, count in unexpected.most_common(20)]
    log = (folder / "log").read_text()
    if "Traceback" in log or "internal error" in log:
        failures.append("the log tells of an internal error:\n" + log[-3000:])
    return {
        "seconds": arguments.seconds, "statuses": dict(sorted(soak.statuses.items())),
        "excused_by_outages": dict(sorted(soak.excused.items())), "outages": len(soak.outages),
        "reloads": end["penstock_config_reloads_total"], "events": end["penstock_events_total"],
        "events_lost": end["penstock_events_dropped_total"],
        "memory_mb": {"third_tenth": round(third, 1), "last_tenth": round(last, 1)},
        "slow_heads": heads, "failures": failures,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--slow-heads", type=int, default=5000)
    arguments = parser.parse_args()
    _, granted = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (granted, granted))
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(run(arguments, Path(folder)))
    print(json.dumps(report, indent=2))
    sys.exit(1 if report["failures"] else 0)


if __name__ == "__main__":
    main()
