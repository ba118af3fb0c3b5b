"""The upstream behind every proxy. It answers from memory, each time with a head of its own.

/api/orders/N   1 KiB            /api/socket   a WebSocket that sends back what it gets
/api/big        1 MiB            /api/events   an event stream, an event every 10 ms
/api/uploads    how many bytes   /api/mirror   the request's head
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from email.utils import formatdate
from functools import lru_cache
from typing import cast

from bench.data_plane.frames import accept_token, unmasked

HEAD_END = b"\r\n\r\n"
SMALL, BIG = b"x" * 1024, b"x" * (1 << 20)
EVENT_EVERY_S = 0.01
# Date, ETag and X-Request-Id differ, as they do in life: who keeps parsed heads gains nothing.
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    b"Date: %s\r\nServer: origin/2.4.1\r\nCache-Control: private, max-age=60\r\n"
    b'ETag: "%012x"\r\nVary: Accept-Encoding\r\nX-Request-Id: %012d\r\n\r\n'
)
EVENTS_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    b"Date: %s\r\nServer: origin/2.4.1\r\nTransfer-Encoding: chunked\r\n\r\n"
)
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %s\r\n\r\n"
)
EVENT = b"event: price\ndata: %020d " + b"x" * 100 + b"\n\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
KEY = re.compile(rb"\r\nsec-websocket-key: *(\S+)", re.IGNORECASE)


class Origin(asyncio.Protocol):
    """One connection from a proxy. No two answers get the same of the numbers."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self._numbers = numbers
        self._held = b""
        self._missing = 0
        self._received = 0
        self._is_chunked = self._is_socket = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are of no such class

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        if self._is_socket:
            self._echo(data)
        elif self._missing or self._is_chunked:
            self._take(data)
        else:
            self._held += data
            end = self._held.find(HEAD_END) + 4
            if end >= 4:
                head, rest, self._held = self._held[:end], self._held[end:], b""
                self._serve(head, rest)

    def _serve(self, head: bytes, rest: bytes) -> None:
        path = head.split(b" ", 2)[1].partition(b"?")[0]
        if path.startswith(b"/api/orders/"):
            self._answer(SMALL)
        elif path == b"/api/big":
            self._answer(BIG)
        elif path == b"/api/uploads":
            length = LENGTH.search(head)
            self._missing, self._is_chunked = int(length[1]) if length else 0, length is None
            self._take(rest)
        elif path == b"/api/events":
            self._transport.write(EVENTS_HEAD % date(int(time.time())))
            self._send_event()
        elif path == b"/api/socket":
            key = KEY.search(head)
            assert key is not None
            self._transport.write(SWITCH % accept_token(key[1]))
            self._is_socket = True
            self._echo(rest)
        else:
            self._answer(head)

    def _answer(self, body: bytes) -> None:
        number = next(self._numbers)
        head = HEAD % (len(body), date(int(time.time())), number, number)
        self._transport.write(head + body if len(body) < 65_536 else head)
        if len(body) >= 65_536:
            self._transport.write(body)

    def _take(self, data: bytes) -> None:
        """Take a part of an upload's body; bytes are counted with their framing when chunked."""
        self._received += len(data)
        if self._is_chunked:
            self._held = (self._held + data)[-5:]
            is_over = self._held == b"0\r\n\r\n"
        else:
            self._missing -= len(data)
            is_over = self._missing == 0
        if is_over:
            answer = b"%d bytes" % self._received
            self._held, self._received, self._is_chunked = b"", 0, False
            self._answer(answer.ljust(32))

    def _send_event(self) -> None:
        # The receiver tells from the time in it how long the event was under way.
        event = EVENT % time.perf_counter_ns()
        self._transport.write(b"%x\r\n%s\r\n" % (len(event), event))
        self._timer = asyncio.get_running_loop().call_later(EVENT_EVERY_S, self._send_event)

    def _echo(self, data: bytes) -> None:
        answers, self._held = unmasked(self._held + data)
        if answers:
            self._transport.write(answers)


@lru_cache(maxsize=1)
def date(second: int) -> bytes:
    """Return a time as HTTP writes it."""
    return formatdate(second, usegmt=True).encode("ascii")
