"""Says 503 to clients for whom there is no place (security T-DO-3).

The answer waits for the client's first bytes: one that came before the request would not be taken
for its answer. Such a client gets no exchange and no policy, a moment's patience, and no more.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from proxy.message import render_refusal
from proxy.refusal import BUSY

PATIENCE_S = 2.0
# Being polite must not become a way to use up descriptors.
MAX_CLIENTS = 128
DISCARDED_BYTES = 65536


class TurnedAwayClients:
    """Connections beyond the bounds, until they have read why."""

    __slots__ = ("_answered", "_date", "_waiting")

    def __init__(self, date: Callable[[], str]) -> None:
        """Start without any; `date` gives the value of the Date field."""
        self._date = date
        self._waiting: dict[socket.socket, asyncio.TimerHandle] = {}
        self._answered: set[socket.socket] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, client: socket.socket) -> None:
        """Take over a non-blocking socket; close it at once when too many are here already."""
        if len(self._waiting) >= MAX_CLIENTS:
            client.close()
            return
        loop = asyncio.get_running_loop()
        self._waiting[client] = loop.call_later(PATIENCE_S, self._end, client)
        loop.add_reader(client, self._heard, client)

    def _heard(self, client: socket.socket) -> None:
        try:
            data = client.recv(DISCARDED_BYTES)
            if data and client not in self._answered:
                self._answered.add(client)
                client.send(render_refusal(BUSY, self._date()))
                client.shutdown(socket.SHUT_WR)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            # It has read the answer, as far as it cares: closing now resets nothing.
            self._end(client)

    def _end(self, client: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(client)
        self._waiting.pop(client).cancel()
        self._answered.discard(client)
        client.close()
