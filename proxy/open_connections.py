"""Knows every open client connection and holds the bounds on them (security T-DO-3)."""

from __future__ import annotations

import asyncio
from ipaddress import IPv6Address
from typing import Protocol

from proxy.limits import Limits
from proxy.shared_counts import CountsSide

# An IPv6 line has 64 bits of addresses of its own: counted one by one they would have no bound.
HOUSEHOLD_BITS = 64


class Stoppable(Protocol):
    """A connection that can be told to end: at once if idle, else after its current response."""

    def stop(self) -> None: ...


class OpenConnections:
    """Every open client connection, counted by the address of its socket peer.

    The bounds hold over all workers where `shared` tells of the others; `total` and `refused` are
    of this process alone.
    """

    __slots__ = ("_by_peer", "_emptied", "_shared", "refused", "served", "total")

    def __init__(self, shared: CountsSide | None = None) -> None:
        self._by_peer: dict[str, int] = {}
        self._emptied: asyncio.Future[None] | None = None
        self._shared = shared
        # Those that got as far as HTTP; the others still say who they are.
        self.served: set[Stoppable] = set()
        self.total = 0
        self.refused = 0

    def is_full(self, limits: Limits) -> bool:
        """Tell whether there is no place left for anybody."""
        others = 0 if self._shared is None else self._shared.others()
        return self.total + others >= limits.max_connections

    def enter(self, peer_ip: str, limits: Limits, *, is_trusted: bool = False) -> bool:
        """Take a place for a new connection; False when no place is left for it.

        A trusted proxy speaks for many clients: only the bound on all connections is for it.
        """
        household = household_of(peer_ip)
        count = self._by_peer.get(household, 0)
        others = 0 if self._shared is None else self._shared.others_of(household)
        has_too_many = count + others >= limits.max_connections_per_address and not is_trusted
        if has_too_many or self.is_full(limits):
            self.refused += 1
            return False
        self._by_peer[household] = count + 1
        self.total += 1
        if self._shared is not None:
            self._shared.entered(household)
        return True

    def leave(self, peer_ip: str) -> None:
        """Give a place back. Exactly once for each `enter` that was granted."""
        household = household_of(peer_ip)
        count = self._by_peer[household] - 1
        if count:
            self._by_peer[household] = count
        else:
            del self._by_peer[household]
        self.total -= 1
        if self._shared is not None:
            self._shared.left(household)
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


def household_of(address: str) -> str:
    """Return what an address is counted as: itself, or its IPv6 network of 64 bits."""
    if ":" not in address:
        return address
    return str(IPv6Address(int(IPv6Address(address)) >> HOUSEHOLD_BITS << HOUSEHOLD_BITS))
