"""Echoes through an open WebSocket: what a message costs the proxy, against another checkout.

The proxy has one core; the clients and the server, which only count bytes, have another. CPU is
the operating system's accounting of the proxy's process. The checkouts take turns.

    python bench/websocket.py [--checkout DIR] [--against DIR] [--messages N]
                              [--rounds N] [--connections N]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.data_plane.accounting import LOAD_CORE, PROXY_CORE, cpu_s

ROOT = Path(__file__).parent.parent
KEY = b"\x12\x34\x56\x78"
HANDSHAKE = (
    b"GET /socket HTTP/1.1\r\nHost: app.example.com\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
HEAD_END = b"\r\n\r\n"
TEXT, BINARY = 1, 2
KAPPA = "κ".encode()
WORKLOADS = {
    "binary 64 B": (BINARY, b"\xfe" * 64),
    "text 64 B": (TEXT, b"x" * 64),
    "text 64 B, Greek": (TEXT, KAPPA * 32),
    "binary 16 KiB": (BINARY, b"\xfe" * 16384),
    "text 16 KiB": (TEXT, b"x" * 16384),
    "text 16 KiB, Greek": (TEXT, KAPPA * 8192),
}


def frame(opcode: int, payload: bytes, *, masked: bool) -> bytes:
    size, mask = len(payload), 0x80 if masked else 0
    length = bytes((mask | size,)) if size < 126 else bytes((mask | 126,)) + size.to_bytes(2, "big")
    if masked:
        payload = KEY + bytes(byte ^ KEY[at & 3] for at, byte in enumerate(payload))
    return bytes((0x80 | opcode,)) + length + payload


class Echo(asyncio.Protocol):
    """Answers every whole message with the same one, not masked."""

    def __init__(self, workload: Workload) -> None:
        self._size, self._answer = len(workload.sent), workload.answered
        self._left = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._left < 0:
            self._transport.write(SWITCH)  # type: ignore[attr-defined]
            self._left = self._size
            return
        self._left -= len(data)
        while self._left <= 0:
            self._left += self._size
            self._transport.write(self._answer)  # type: ignore[attr-defined]


@dataclass
class Workload:
    """One message on its way there and back, and how often it goes."""

    sent: bytes
    answered: bytes
    left: int
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Client(asyncio.Protocol):
    """Sends the next message when the last one is back."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._left = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.write(HANDSHAKE)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        workload = self._workload
        if self._left < 0:
            assert data.endswith(HEAD_END), data
            self._left = 0
        else:
            self._left -= len(data)
            workload.left -= self._left <= 0
        if workload.left <= 0:
            workload.done.set()
        elif self._left <= 0:
            self._left = len(workload.answered)
            self._transport.write(workload.sent)  # type: ignore[attr-defined]

    def connection_lost(self, _exc: Exception | None) -> None:
        self._workload.done.set()


def start_proxy(checkout: Path, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.proxy.rig_process", str(port)]
    pinned = ["taskset", "-c", str(PROXY_CORE), *command]
    return subprocess.Popen(pinned, cwd=checkout, stdout=subprocess.PIPE)


async def cost_us(checkout: Path, opcode: int, payload: bytes, args: argparse.Namespace) -> float:
    """Return the proxy's CPU time per message, there and back."""
    loop = asyncio.get_running_loop()
    workload = Workload(
        frame(opcode, payload, masked=True), frame(opcode, payload, masked=False), args.messages
    )
    server = await loop.create_server(lambda: Echo(workload), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with start_proxy(checkout, port) as process:
        assert process.stdout is not None
        proxy_port = int(process.stdout.readline())
        before = cpu_s(process.pid)
        clients = [
            (await loop.create_connection(lambda: Client(workload), "127.0.0.1", proxy_port))[0]
            for _ in range(args.connections)
        ]
        await asyncio.wait_for(workload.done.wait(), 120)
        spent = cpu_s(process.pid) - before
        for each in clients:
            each.close()
        process.kill()
    server.close()
    if workload.left > 0:
        raise SystemExit("a connection was lost")
    return float(spent / args.messages * 1e6)


async def measure(args: argparse.Namespace) -> None:
    checkouts = [args.checkout, *([args.against] if args.against else [])]
    for name, (opcode, payload) in WORKLOADS.items():
        costs: dict[Path, list[float]] = {each: [] for each in checkouts}
        for _ in range(args.rounds):
            for checkout, found in costs.items():
                found.append(await cost_us(checkout, opcode, payload, args))
        medians = [statistics.median(found) for found in costs.values()]
        line = f"{name:20} {medians[0]:6.1f} us"
        if args.against:
            line += f"   against {medians[1]:6.1f} us   ratio {medians[0] / medians[1]:.2f}"
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--against", type=Path, help="another checkout of this repository")
    parser.add_argument("--checkout", type=Path, default=ROOT, help="what is measured")
    parser.add_argument("--messages", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=8)
    args = parser.parse_args()
    os.sched_setaffinity(0, {LOAD_CORE})
    uvloop.run(measure(args))


if __name__ == "__main__":
    main()
