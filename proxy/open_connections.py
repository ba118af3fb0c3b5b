"""Counts open client connections and holds the bounds on them (security T-DO-3)."""

from __future__ import annotations

from proxy.limits import Limits


class OpenConnections:
    """Every open client connection, counted by the address of its socket peer."""

    __slots__ = ("_by_peer", "refused", "total")

    def __init__(self) -> None:
        self._by_peer: dict[str, int] = {}
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
