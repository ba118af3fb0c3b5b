"""The clients of a measurement. Each connects, does one thing to be warm, and waits for the start.

Requests have twelve fields. What a browser repeats on a connection is repeated, and differs
between connections; the path and the request's id differ each time.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import cast

from bench.data_plane.frames import masked_text, text

HEAD_END = b"\r\n\r\n"
UPLOAD = b"y" * 65_536
BROWSERS = (
    b"(X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    b"(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15",
    b"(X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    b"(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Edg/139.0.0.0",
)
FIELDS = (
    b" HTTP/1.1\r\n"
    b"Host: app.example.com\r\n"
    b"User-Agent: Mozilla/5.0 %s\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8\r\n"
    b"Accept-Encoding: gzip, deflate, br\r\n"
    b"Accept-Language: en-US,en;q=0.5\r\n"
    b"Cookie: session=%016x; theme=dark; consent=yes\r\n"
    b"Referer: https://app.example.com/orders\r\n"
    b"Cache-Control: no-cache\r\n"
    b"Sec-Fetch-Dest: document\r\n"
    b"Sec-Fetch-Mode: navigate\r\n"
    b"Sec-Fetch-Site: same-origin\r\n"
    b"X-Request-Id: %%012d\r\n"
)
HANDSHAKE = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
SENT_NS = re.compile(rb"data: (\d{20}) ")
MASK = b"\x12\x34\x56\x78"
MESSAGE_BYTES = 64


@dataclass
class Load:
    """What the clients of one round share: when it ends, and what they saw until then."""

    latencies_s: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    busy: int = 0
    ends: float = 0.0
    number: int = 0
    quiet: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, clients: int) -> None:
        """Tell that so many clients are busy."""
        self.busy = clients
        self.quiet.clear()

    def finish(self) -> None:
        """Tell that one client is not busy any more."""
        self.busy -= 1
        if self.busy == 0:
            self.quiet.set()

    def fail(self, reason: str) -> None:
        """End the round: what was seen is not what was asked for."""
        self.failures.append(reason)
        self.quiet.set()


def browser_fields(connection: int) -> bytes:
    """Return what a connection sends with every request; the request's id is still a place."""
    session = connection * 0x9E3779B97F4A7C15 % (1 << 64)
    return FIELDS % (BROWSERS[connection % len(BROWSERS)], session)


class Connected(asyncio.Protocol):
    """One connection, and what it says when it is lost too early."""

    def __init__(self, load: Load) -> None:
        self._load = load

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are of no such class

    def connection_lost(self, exc: Exception | None) -> None:
        if self._load.busy > 0:
            self._load.fail(f"connection lost: {exc}")


class Asker(Connected):
    """Asks, and asks again when the answer is complete. `template` has two places for numbers."""

    def __init__(self, load: Load, template: bytes, body: bytes, answer_bytes: int) -> None:
        super().__init__(load)
        self._template, self._body, self._answer_bytes = template, body, answer_bytes
        self._expected = b"\r\ncontent-length: %d\r\n" % answer_bytes
        self._held, self._missing = b"", -1
        self._is_warm = False

    def prepare(self) -> None:
        self._ask()

    def begin(self) -> None:
        self._is_warm = True
        self._ask()

    def _ask(self) -> None:
        self._load.number += 1
        number = self._load.number
        self._started = time.perf_counter()
        self._transport.write(self._template % (number, number) + self._body)

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            data = self._held + data
            end = data.find(HEAD_END)
            if end < 0:
                self._held = data
                return
            self._held = b""
            if not data.startswith(b"HTTP/1.1 200") or not (
                self._is_warm or self._expected in data[: end + 2].lower()
            ):
                self._load.fail(f"unexpected answer: {data[:300]!r}")
                return
            self._missing = end + len(HEAD_END) + self._answer_bytes
        self._missing -= len(data)
        if self._missing == 0:
            self._complete()
        elif self._missing < 0:
            self._load.fail(f"more than was asked for: {data[:300]!r}")

    def _complete(self) -> None:
        self._missing = -1
        now = time.perf_counter()
        if self._is_warm:
            self._load.latencies_s.append(now - self._started)
        if self._is_warm and now < self._load.ends:
            self._ask()
        else:
            self._load.finish()


class Echoer(Connected):
    """Sends a message through a WebSocket when the one before has come back."""

    def __init__(self, load: Load, template: bytes) -> None:
        super().__init__(load)
        self._handshake = template % (0, 0)
        self._held = self._awaited = b""

    def prepare(self) -> None:
        self._transport.write(self._handshake)

    def begin(self) -> None:
        self._send()

    def _send(self) -> None:
        self._load.number += 1
        message = (b"message %012d" % self._load.number).ljust(MESSAGE_BYTES, b".")
        self._awaited = text(message)
        self._started = time.perf_counter()
        self._transport.write(masked_text(message, MASK))

    def data_received(self, data: bytes) -> None:
        self._held += data
        if not self._awaited:
            if self._held.endswith(HEAD_END):
                if self._held.startswith(b"HTTP/1.1 101"):
                    self._load.finish()
                else:
                    self._load.fail(f"unexpected answer: {self._held[:300]!r}")
                self._held = b""
            return
        if len(self._held) < len(self._awaited):
            return
        if self._held != self._awaited:
            self._load.fail(f"unexpected message: {self._held!r}")
            return
        self._held = b""
        now = time.perf_counter()
        self._load.latencies_s.append(now - self._started)
        if now < self._load.ends:
            self._send()
        else:
            self._load.finish()


class Follower(Connected):
    """Follows an event stream; an event's latency is counted from when the upstream wrote it."""

    def __init__(self, load: Load, template: bytes) -> None:
        super().__init__(load)
        self._request = template % (0, 0)
        self._held = b""
        self._is_warm = self._is_counting = False

    def prepare(self) -> None:
        self._transport.write(self._request)

    def begin(self) -> None:
        self._is_counting = True

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self._held += data
        end = 0
        for event in SENT_NS.finditer(self._held):
            end = event.end()
            if self._is_counting:
                self._load.latencies_s.append(now - int(event[1]) / 1e9)
        self._held = self._held[end:]
        if end and not self._is_warm:
            self._is_warm = True
            self._load.finish()
        elif self._is_counting and now >= self._load.ends:
            self._is_counting = False
            self._load.finish()
