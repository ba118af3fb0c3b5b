"""What is asked of every proxy, as a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.data_plane.clients import (
    HANDSHAKE,
    UPLOAD,
    Asker,
    Echoer,
    Follower,
    Load,
    browser_fields,
)  # fmt: skip

Client = Asker | Echoer | Follower


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One kind of load. `unit` is what costs are divided by; `client` makes one connection's."""

    name: str
    title: str
    unit: str = "request"
    connections: int = 32
    tls: bool = False
    client: Callable[[Load, int], Client]


def get(load: Load, connection: int) -> Client:
    """Ask for 1 KiB."""
    line = b"GET /api/orders/%d?expand=items"
    return Asker(load, line + browser_fields(connection) + b"\r\n", b"", 1024)


def post(load: Load, connection: int) -> Client:
    """Send 64 KiB, and get a short answer."""
    length = b"Content-Length: %d\r\n\r\n" % len(UPLOAD)
    return Asker(load, b"POST /api/uploads?n=%d" + browser_fields(connection) + length, UPLOAD, 32)


def download(load: Load, connection: int) -> Client:
    """Ask for 1 MiB."""
    return Asker(load, b"GET /api/big?n=%d" + browser_fields(connection) + b"\r\n", b"", 1 << 20)


def echo(load: Load, connection: int) -> Client:
    """Send 64 bytes through a WebSocket."""
    return Echoer(load, b"GET /api/socket?n=%d" + browser_fields(connection) + HANDSHAKE + b"\r\n")


def follow(load: Load, connection: int) -> Client:
    """Get an event of 150 bytes every 10 ms."""
    return Follower(load, b"GET /api/events?n=%d" + browser_fields(connection) + b"\r\n")


GET = Workload(name="get", title="GET 1 KiB, 32 connections", client=get)
DOWNLOAD = Workload(name="get-1m", title="GET 1 MiB, 8 connections", connections=8, client=download)
WORKLOADS = (
    GET,
    Workload(name="get-1", title="GET 1 KiB, 1 connection", connections=1, client=get),
    Workload(name="tls", title="GET 1 KiB over TLS, 32 connections", tls=True, client=get),
    Workload(
        name="tls-1", title="GET 1 KiB over TLS, 1 connection", connections=1, tls=True, client=get
    ),
    Workload(name="post", title="POST 64 KiB, 32 connections", client=post),
    DOWNLOAD,
    Workload(
        name="websocket", title="WebSocket echo, 64 bytes, 32 connections", unit="echo", client=echo
    ),
    Workload(
        name="events",
        title="Server-sent events, 32 streams, 100 a second each",
        unit="event",
        client=follow,
    ),
)
