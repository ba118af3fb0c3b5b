"""Knows every open client connection and holds the bounds on them (security T-DO-3)."""

from __future__ import annotations

import asyncio
from typing import Protocol

from proxy.limits import Limits


class Stoppable(Protocol):
    """A connection that can be told to end: at once if idle, else after its current response."""

    def stop(self) -> None: ...


class OpenConnections:
    """Every open client connection, counted by the address of its socket peer."""

    __slots__ = ("_by_peer", "_emptied", "refused", "served", "total")

    def __init__(self) -> None:
        self._by_peer: dict[str, int] = {}
        self._emptied: asyncio.Future[None] | None = None
        # Those that got as far as HTTP; the others still say who they are.
        self.served: set[Stoppable] = set()
        self.total = 0
        self.refused = 0

    def enter(self, peer_ip: str, limits: Limits) -> bool:
        """Take a place for a new connection; False when no place is left for it."""
        count = self._by_peer.get(peer_ip, 0)
        if self.total >= limits.max_connections or count >= limits.max_connections_per_address:
            self.refused += 1
            return False
        self._by_peer[peer_ip] = count + 1
        self.total += 1
        return True

    def leave(self, peer_ip: str) -> None:
        """Give a place back. Exactly once for each `enter` that was granted."""
        count = self._by_peer[peer_ip] - 1
        if count:
            self._by_peer[peer_ip] = count
        else:
            del self._by_peer[peer_ip]
        self.total -= 1
        if not self.total and self._emptied is not None and not self._emptied.done():
            self._emptied.set_result(None)

    def stop(self) -> None:
        """Tell every connection to end."""
        for connection in tuple(self.served):
            connection.stop()

    async def emptied(self, timeout_s: float) -> bool:
        """Wait until no connection is left; False when some still are at the end of the time."""
        if self.total:
            self._emptied = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._emptied], timeout=timeout_s)
        return not self.total
