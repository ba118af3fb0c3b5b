"""The two ends of a measurement: an upstream that answers from memory, and clients that ask."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

# Twelve fields, as a browser sends them.
REQUEST = (
    b"GET /api/orders/42?expand=items HTTP/1.1\r\n"
    b"Host: app.example.com\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    b"Chrome/120.0.0.0 Safari/537.36\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8\r\n"
    b"Accept-Encoding: gzip, deflate, br\r\n"
    b"Accept-Language: en-US,en;q=0.5\r\n"
    b"Cookie: session=abcdef0123456789; theme=dark; consent=yes\r\n"
    b"Referer: https://app.example.com/orders\r\n"
    b"Cache-Control: no-cache\r\n"
    b"Sec-Fetch-Dest: document\r\n"
    b"Sec-Fetch-Mode: navigate\r\n"
    b"Sec-Fetch-Site: same-origin\r\n"
    b"X-Request-Id: %012d\r\n\r\n"
)
_RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    b"Date: Mon, 02 Mar 2026 11:00:00 GMT\r\nServer: origin\r\nCache-Control: max-age=60\r\n"
    b'ETag: "%x"\r\nVary: Accept-Encoding\r\n\r\n'
)
HEAD_END = b"\r\n\r\n"


def response(size: int) -> bytes:
    """Return a whole response with a body of `size` bytes."""
    return _RESPONSE % (size, size) + b"x" * size


class Upstream(asyncio.Protocol):
    """Answers every complete head; the requests have no body."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data
        heads = data.count(HEAD_END)
        self._buffer = data[data.rfind(HEAD_END) + 4 :] if heads else data
        if heads:
            self._transport.write(self._answer * heads)  # type: ignore[attr-defined]


@dataclass
class Load:
    """What a run has still to do, and what it saw."""

    left: int
    size: int
    number: int = 0
    latencies_s: list[float] = field(default_factory=list)
    failures: list[bytes] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Client(asyncio.Protocol):
    """Asks again and again on one connection."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._left = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        load = self._load
        load.number += 1
        self._started = time.perf_counter()
        self._transport.write(REQUEST % load.number)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        load = self._load
        if self._left < 0:
            if not data.startswith(b"HTTP/1.1 200"):
                load.failures.append(data[:200])
                load.done.set()
            # Chunked or not: a response is over when its body has passed.
            self._left = data.find(HEAD_END) + 4 + load.size
        self._left -= len(data)
        if self._left <= 0:
            self._left = -1
            load.latencies_s.append(time.perf_counter() - self._started)
            load.left -= 1
            if load.left > 0:
                self._ask()
            else:
                load.done.set()


async def run(port: int, *, requests: int, connections: int, size: int) -> list[float]:
    """Send requests over so many connections; return all latencies, sorted."""
    load = Load(left=requests, size=size)
    loop = asyncio.get_running_loop()
    clients = [
        await loop.create_connection(lambda: Client(load), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.wait_for(load.done.wait(), 120)
    for transport, _ in clients:
        transport.close()
    if load.failures:
        raise SystemExit(f"unexpected answer: {load.failures[0]!r}")
    return sorted(load.latencies_s)
