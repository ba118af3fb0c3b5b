"""Knows the WebSockets and event streams that are open, so that they can be ended (T-WS-4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from policy.exchange import Connection, Request

# RFC 6455, section 7.4.1: the endpoint is going away.
GOING_AWAY = 1001
SERVER_STOPPING = "server-stopping"

# What will look at a stream again: when its time is up, or at this moment.
Pending: TypeAlias = asyncio.TimerHandle | asyncio.Task[Any]


@dataclass(slots=True, kw_only=True, eq=False)
class OpenStream:
    """One stream: what it was admitted for, and how to end it.

    `connection` is the one that was accepted, `client` the same as a trusted proxy describes it.
    `request` is as the client sent it; `has_body` tells that it had content, which is gone.
    `end` takes a status code (RFC 6455, section 7.4.1), of use to a WebSocket only, and a reason
    for the completion event. What admitted it holds until `admitted_until_ns`, None for as long
    as the configuration. `records` are those of the store that were looked at then, by kind and
    key; `ask_again` has it decided at once whether the stream may go on.
    """

    connection: Connection
    client: Connection
    endpoint_id: str
    request: Request
    has_body: bool
    is_websocket: bool
    end: Callable[[int, str], None]
    admitted_until_ns: int | None = None
    records: frozenset[tuple[str, str]] = frozenset()
    ask_again: Callable[[], None] | None = None


class OpenStreams:
    """All open streams of one process."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: dict[OpenStream, Pending | None] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[OpenStream]:
        """Go through the streams that are open now."""
        return iter(tuple(self._open))

    def __contains__(self, stream: OpenStream) -> bool:
        return stream in self._open

    def add(self, stream: OpenStream) -> None:
        """Take note of a stream that opens."""
        self._open[stream] = None

    def discard(self, stream: OpenStream) -> None:
        """Forget a stream that has ended, and look at it no more."""
        # It holds what holds it.
        stream.ask_again = None
        pending = self._open.pop(stream, None)
        if pending is not None:
            pending.cancel()

    def expect(self, stream: OpenStream, pending: Pending | None) -> None:
        """Take note of what will look at an open stream again; nothing else will."""
        earlier, self._open[stream] = self._open[stream], pending
        if earlier is not None and earlier is not pending:
            earlier.cancel()

    def record_removed(self, kind: str, key: str) -> None:
        """Ask again about the streams that were let in on a record that is gone."""
        for stream in self:
            if (kind, key) in stream.records and stream.ask_again is not None:
                stream.ask_again()

    def send_away(self) -> None:
        """Tell WebSockets, which have no end of their own, to come back elsewhere.

        Event streams may be answers in progress, and are left to end by themselves.
        """
        for stream in self:
            if stream.is_websocket:
                stream.end(GOING_AWAY, SERVER_STOPPING)

    def close(self, code: int, reason: str) -> None:
        """End every stream: a WebSocket with a status code, an event stream is cut off."""
        for stream in self:
            stream.end(code, reason)
