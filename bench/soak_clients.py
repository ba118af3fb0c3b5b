"""The clients of the soak test: each kind loops and reports what it did not expect."""

from __future__ import annotations

import asyncio
import random
import struct
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"
PATIENCE_S = 30.0
# What a request may meet while the upstream is dead: no answer from it, or half of one.
EXCUSED = {502, 504}
GRACE_S = 0.5

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


@dataclass
class Soak:
    """What all clients share. `outages` are the times between which the upstream was dead."""

    port: int
    done: bool = False
    outages: list[list[float]] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)

    def upstream_was_dead(self, since: float) -> bool:
        """Tell whether the upstream was dead at any time since then."""
        return any(end + GRACE_S >= since for _, end in self.outages)


class UnexpectedAnswerError(Exception):
    """A status or a body that no request here should get."""


async def connect(soak: Soak) -> tuple[Reader, Writer]:
    return await asyncio.open_connection(LOOPBACK, soak.port)


async def head_of(soak: Soak, kind: str, reader: Reader) -> tuple[int, int]:
    """Read a response's head; return status and length, -1 for chunked."""
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    soak.statuses[f"{kind} {status}"] += 1
    lower = head.lower()
    if b"\r\ncontent-length: " in lower:
        return status, int(lower.split(b"\r\ncontent-length: ")[1].split(b"\r\n")[0])
    return status, -1


async def read_answer(soak: Soak, kind: str, reader: Reader) -> bytes:
    status, length = await head_of(soak, kind, reader)
    body = await reader.readexactly(max(0, length))
    if status != 200:
        raise UnexpectedAnswerError(f"{status} {body[:40]!r}")
    return body


async def keeps_alive(soak: Soak) -> None:
    reader, writer = await connect(soak)
    try:
        for _ in range(random.randint(1, 50)):
            writer.write(b"GET /small HTTP/1.1\r\nHost: soak.test\r\n\r\n")
            if await read_answer(soak, "keep-alive", reader) != b"0":
                raise UnexpectedAnswerError("body")
            await asyncio.sleep(random.random() * 0.2)
            if soak.done:
                return
    finally:
        writer.close()


async def websocket(soak: Soak) -> None:
    reader, writer = await connect(soak)
    try:
        writer.write(
            b"GET /socket HTTP/1.1\r\nHost: soak.test\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        status, _ = await head_of(soak, "websocket", reader)
        if status != 101:
            raise UnexpectedAnswerError(str(status))
        for number in range(random.randint(1, 100)):
            text = b"message %d" % number
            mask = random.randbytes(4)
            masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(text))
            writer.write(struct.pack("!BB", 0x81, 0x80 | len(text)) + mask + masked)
            frame = await reader.readexactly(2 + len(text))
            if frame[2:] != text:
                raise UnexpectedAnswerError(f"echo {frame[:20]!r}")
            await asyncio.sleep(random.random() * 0.2)
            if soak.done:
                return
    finally:
        writer.close()


async def event_stream(soak: Soak) -> None:
    reader, writer = await connect(soak)
    try:
        writer.write(b"GET /events HTTP/1.1\r\nHost: soak.test\r\nConnection: close\r\n\r\n")
        status, _ = await head_of(soak, "events", reader)
        body = await reader.read()
        if status != 200 or not body.endswith(b"0\r\n\r\n") or body.count(b"data: ") != 20:
            raise UnexpectedAnswerError(f"{status} {body[-20:]!r}")
    finally:
        writer.close()


async def slow_reader(soak: Soak) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, soak.port, limit=8192)
    try:
        writer.write(b"GET /big HTTP/1.1\r\nHost: soak.test\r\n\r\n")
        status, length = await head_of(soak, "slow reader", reader)
        while length > 0:
            length -= len(await reader.readexactly(min(length, 16_384)))
            await asyncio.sleep(0.05)
        if status != 200:
            raise UnexpectedAnswerError(str(status))
    finally:
        writer.close()


async def slow_writer(soak: Soak) -> None:
    reader, writer = await connect(soak)
    try:
        writer.write(b"POST /echo HTTP/1.1\r\nHost: soak.test\r\nContent-Length: 20000\r\n\r\n")
        for _ in range(20):
            writer.write(b"x" * 1000)
            await writer.drain()
            await asyncio.sleep(0.05)
        if await read_answer(soak, "slow writer", reader) != b"20000":
            raise UnexpectedAnswerError("body")
    finally:
        writer.close()


async def aborts(soak: Soak) -> None:
    """Leave at a random point of a request or its answer, without good-bye."""
    reader, writer = await connect(soak)
    request = b"POST /big HTTP/1.1\r\nHost: soak.test\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000
    writer.write(request[: random.choice((10, 70, 2000, len(request)))])
    with suppress(TimeoutError):
        await asyncio.wait_for(reader.read(random.choice((1, 50_000))), random.random() * 0.3)
    writer.transport.abort()
    soak.statuses["aborted"] += 1
    await asyncio.sleep(0.05)


KINDS: dict[Callable[[Soak], Awaitable[None]], int] = {
    keeps_alive: 8, websocket: 2, event_stream: 2, slow_reader: 2, slow_writer: 2, aborts: 4,
}  # fmt: skip


async def client(soak: Soak, kind: Callable[[Soak], Awaitable[None]]) -> None:
    """Do one thing again and again."""
    name = kind.__name__
    while not soak.done:
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await kind(soak)
        except (OSError, EOFError, UnexpectedAnswerError, TimeoutError) as error:
            text = f"{name}: {type(error).__name__}: {error}"
            if kind is aborts or soak.upstream_was_dead(began):
                soak.excused[f"{name}: {type(error).__name__}"] += 1
            else:
                soak.unexpected.append(f"{text} after {time.monotonic() - began:.2f} s")
            await asyncio.sleep(0.2)
