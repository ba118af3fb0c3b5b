"""The clients of a soak: each kind does one thing again and again, and says what was wrong."""

from __future__ import annotations

import asyncio
import random
import struct
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bench.data_plane.site import LOOPBACK
from bench.soaking.record import (
    CutAnswerError,
    Record,
    UnexpectedStatusError,
    WrongAnswerError,
)  # fmt: skip
from bench.soaking.upstream import EVENTS

PATIENCE_S = 30.0

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


async def connect(record: Record) -> tuple[Reader, Writer]:
    return await asyncio.open_connection(LOOPBACK, record.port)


async def head_of(record: Record, kind: str, reader: Reader) -> tuple[int, int]:
    """Read a response's head; return status and length, -1 for chunked."""
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    record.statuses[f"{kind} {status}"] += 1
    lower = head.lower()
    if b"\r\ncontent-length: " in lower:
        return status, int(lower.split(b"\r\ncontent-length: ")[1].split(b"\r\n")[0])
    return status, -1


async def read_answer(record: Record, kind: str, reader: Reader) -> bytes:
    status, length = await head_of(record, kind, reader)
    body = await reader.readexactly(max(0, length))
    check_status(status)
    return body


def check_status(status: int, expected: int = 200) -> None:
    if status != expected:
        raise UnexpectedStatusError(status)


async def keeps_alive(record: Record) -> None:
    reader, writer = await connect(record)
    try:
        for _ in range(random.randint(1, 50)):
            writer.write(b"GET /small HTTP/1.1\r\nHost: soak.test\r\n\r\n")
            if await read_answer(record, "keep-alive", reader) != b"0":
                raise WrongAnswerError("body")
            await asyncio.sleep(random.random() * 0.2)
            if record.done:
                return
    finally:
        writer.close()


async def websocket(record: Record) -> None:
    reader, writer = await connect(record)
    try:
        writer.write(
            b"GET /socket HTTP/1.1\r\nHost: soak.test\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        status, _ = await head_of(record, "websocket", reader)
        check_status(status, 101)
        for number in range(random.randint(1, 100)):
            text = b"message %d" % number
            mask = random.randbytes(4)
            masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(text))
            writer.write(struct.pack("!BB", 0x81, 0x80 | len(text)) + mask + masked)
            frame = await reader.readexactly(2 + len(text))
            if frame[2:] != text:
                raise WrongAnswerError(f"echo {frame[:20]!r}")
            await asyncio.sleep(random.random() * 0.2)
            if record.done:
                return
    finally:
        writer.close()


async def event_stream(record: Record) -> None:
    reader, writer = await connect(record)
    try:
        writer.write(b"GET /events HTTP/1.1\r\nHost: soak.test\r\nConnection: close\r\n\r\n")
        status, _ = await head_of(record, "events", reader)
        body = await reader.read()
        check_status(status)
        if not body.endswith(b"0\r\n\r\n"):
            raise CutAnswerError(f"{body[-20:]!r}")
        if body.count(b"data: ") != EVENTS:
            raise WrongAnswerError(f"{body.count(b'data: ')} events")
    finally:
        writer.close()


async def slow_reader(record: Record) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, record.port, limit=8192)
    try:
        writer.write(b"GET /big HTTP/1.1\r\nHost: soak.test\r\n\r\n")
        status, length = await head_of(record, "slow reader", reader)
        check_status(status)
        while length > 0:
            length -= len(await reader.readexactly(min(length, 16_384)))
            await asyncio.sleep(0.05)
    finally:
        writer.close()


async def slow_writer(record: Record) -> None:
    reader, writer = await connect(record)
    try:
        writer.write(b"POST /echo HTTP/1.1\r\nHost: soak.test\r\nContent-Length: 20000\r\n\r\n")
        for _ in range(20):
            writer.write(b"x" * 1000)
            await writer.drain()
            await asyncio.sleep(0.05)
        if await read_answer(record, "slow writer", reader) != b"20000":
            raise WrongAnswerError("body")
    finally:
        writer.close()


async def aborts(record: Record) -> None:
    """Leave at a random point of a request or its answer, without good-bye."""
    reader, writer = await connect(record)
    request = b"POST /big HTTP/1.1\r\nHost: soak.test\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000
    writer.write(request[: random.choice((10, 70, 2000, len(request)))])
    answer = b""
    with suppress(TimeoutError):
        async with asyncio.timeout(random.random() * 0.3):
            answer = await reader.read(random.choice((1, 50_000)))
    writer.transport.abort()
    record.statuses["aborts"] += 1
    if len(answer) > 12:
        check_status(int(answer[9:12]))
    await asyncio.sleep(0.05)


KINDS: dict[Callable[[Record], Awaitable[None]], int] = {
    keeps_alive: 8, websocket: 2, event_stream: 2, slow_reader: 2, slow_writer: 2, aborts: 4,
}  # fmt: skip


FAULTS = (
    OSError, EOFError, TimeoutError, CutAnswerError, UnexpectedStatusError, WrongAnswerError,
)  # fmt: skip


async def client(record: Record, kind: Callable[[Record], Awaitable[None]]) -> None:
    """Do one thing again and again."""
    name = kind.__name__
    while not record.done:
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await kind(record)
            record.completed[name] += 1
        except FAULTS as error:
            record.fault(name, error, began)
            await asyncio.sleep(0.2)
