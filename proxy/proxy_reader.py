"""Takes a PROXY header off an accepted socket, and not one byte of what follows it."""

from __future__ import annotations

import asyncio
import socket

from proxy.proxy_protocol import (
    MAX_HEADER_BYTES,
    MalformedProxyHeader,
    ProxyHeader,
    parse_proxy_header,
)


async def read_proxy_header(client: socket.socket, *, timeout_s: float) -> ProxyHeader:
    """Read the header that must stand first on a connection.

    The socket is looked at before it is read, so that whoever comes next (TLS or HTTP) finds its
    own first byte first. Raises MalformedProxyHeader, also for a connection closed early, and
    TimeoutError.
    """
    async with asyncio.timeout(timeout_s):
        taken = b""
        while True:
            await _readable(client)
            try:
                seen = client.recv(MAX_HEADER_BYTES - len(taken), socket.MSG_PEEK)
            except (BlockingIOError, InterruptedError):
                continue
            except OSError:
                raise MalformedProxyHeader("connection lost") from None
            if not seen:
                raise MalformedProxyHeader("connection closed")
            header = parse_proxy_header(taken + seen)
            # Whatever does not complete the header belongs to it and is taken for good: a socket
            # with bytes left in it would count as readable at once, again and again.
            taken += client.recv(len(seen) if header is None else header.length - len(taken))
            if header is not None:
                return header


async def _readable(client: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(client, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_reader(client)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
