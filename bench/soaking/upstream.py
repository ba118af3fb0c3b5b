"""The upstream of the soak test, a process of its own, because it is killed again and again."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import struct
import sys
from contextlib import suppress

LOOPBACK = "127.0.0.1"
BIG = b"x" * 262_144
ACCEPT_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
EVENTS = 20
EVENT_PAUSE_S = 0.05


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one connection's requests."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            path = head.split(b" ", 2)[1]
            length = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
            received = len(await reader.readexactly(int(length[1]))) if length else 0
            if path == b"/socket":
                await echo(head, reader, writer)
                return
            if path == b"/events":
                await events(writer)
            else:
                body = BIG if path == b"/big" else b"%d" % received
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
    writer.close()


async def events(writer: asyncio.StreamWriter) -> None:
    """Send a short event stream."""
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    for number in range(EVENTS):
        event = b"data: %d\n\n" % number
        writer.write(b"%x\r\n%s\r\n" % (len(event), event))
        await writer.drain()
        await asyncio.sleep(EVENT_PAUSE_S)
    writer.write(b"0\r\n\r\n")


async def echo(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept a WebSocket and send back every short frame."""
    key = re.search(rb"\r\nsec-websocket-key: (\S+)", head, re.IGNORECASE)
    assert key is not None
    accept = base64.b64encode(hashlib.sha1(key[1] + ACCEPT_SUFFIX).digest())
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
    while True:
        first, second = await reader.readexactly(2)
        mask = await reader.readexactly(4)
        data = await reader.readexactly(second & 0x7F)
        plain = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
        writer.write(struct.pack("!BB", first, len(plain)) + plain)
        await writer.drain()
        if first & 0x0F == 8:
            return


async def main(port: int) -> None:
    """Serve until killed."""
    server = await asyncio.start_server(serve, LOOPBACK, port, backlog=1024)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
