"""Keeps connections to upstreams open between requests, one place per upstream address."""

from __future__ import annotations

import asyncio
import ssl

from proxy.deadlines import Deadlines
from proxy.endpoint import UpstreamAddress
from proxy.http1.response_head import ResponseHeads
from proxy.limits import Limits
from proxy.refusal import CONNECT_FAILED, CONNECT_TIMED_OUT, TLS_FAILED, Refusal
from proxy.upstream import UpstreamConnection


class ConnectFailed(Exception):  # noqa: N818 - named for what the client is told
    """No connection to the upstream came about. `failure` is what to answer."""

    def __init__(self, failure: Refusal) -> None:
        self.failure = failure
        super().__init__(failure.reason)


class UpstreamPlace:
    """The connections to one address.

    Scheme, host, port and TLS settings are its identity: a connection that was made for one
    server name is never used for another (T-TL-2).
    """

    __slots__ = (
        "_deadlines", "_idle", "_keep_alive_timeout_s", "_limits", "_max_idle", "_open", "address",
        "heads",
    )  # fmt: skip

    def __init__(self, address: UpstreamAddress, deadlines: Deadlines, limits: Limits) -> None:
        self.address = address
        self.heads = ResponseHeads()
        self._deadlines = deadlines
        self._limits = limits
        # What every request needs of them is at hand.
        self._keep_alive_timeout_s = limits.upstream_keep_alive_timeout_s
        self._max_idle = limits.max_upstream_idle_connections
        # The one used last is at the end.
        self._idle: list[UpstreamConnection] = []
        self._open: set[UpstreamConnection] = set()

    @property
    def in_use(self) -> bool:
        """Tell whether any connection is open."""
        return bool(self._open)

    @property
    def open(self) -> int:
        """Count the open connections."""
        return len(self._open)

    def take(self) -> UpstreamConnection | None:
        """Return the connection used last, which is the likeliest to be alive, or None."""
        return self._idle.pop() if self._idle else None

    def put_back(self, connection: UpstreamConnection) -> None:
        """Keep a connection for the next request; the oldest goes when there are too many.

        One that has been open for `upstream_max_age_s` is closed, so that a change of the name's
        addresses reaches even an upstream that is never idle.
        """
        if self._deadlines.now >= connection.retire_at:
            self.forget(connection)
            connection.close()
            return
        connection.rest_until(self._deadlines.now + self._keep_alive_timeout_s)
        self._idle.append(connection)
        if len(self._idle) > self._max_idle:
            self._idle.pop(0).close()

    async def connect(self) -> UpstreamConnection:
        """Open a new connection; raises ConnectFailed. Names are resolved anew each time."""
        address = self.address
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._limits.upstream_connect_timeout_s):
                _, connection = await loop.create_connection(
                    lambda: UpstreamConnection(self, self._deadlines, self._limits),
                    address.host,
                    address.port,
                    ssl=address.tls,
                    server_hostname=address.host if address.tls else None,
                )
        except TimeoutError:
            raise ConnectFailed(CONNECT_TIMED_OUT) from None
        except ssl.SSLError as refusal:
            raise ConnectFailed(TLS_FAILED) from refusal
        except OSError as error:
            raise ConnectFailed(CONNECT_FAILED) from error
        connection.retire_at = self._deadlines.now + self._limits.upstream_max_age_s
        self._open.add(connection)
        return connection

    def forget(self, connection: UpstreamConnection) -> None:
        """Strike a connection that is closed or about to be."""
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def close(self) -> None:
        """Close every connection, busy ones too."""
        for connection in tuple(self._open):
            connection.close()
        self._open.clear()
        self._idle.clear()


class UpstreamPool:
    """The places of all upstreams that are in use."""

    __slots__ = ("_deadlines", "_places")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._places: dict[UpstreamAddress, UpstreamPlace] = {}

    @property
    def open(self) -> int:
        """Count the open connections to all upstreams."""
        return sum(place.open for place in self._places.values())

    def place(self, address: UpstreamAddress, limits: Limits) -> UpstreamPlace:
        """Return the place for an address. Limits are those of the runtime that names it first."""
        found = self._places.get(address)
        if found is None:
            self._drop_unused()
            found = self._places[address] = UpstreamPlace(address, self._deadlines, limits)
        return found

    def close(self) -> None:
        """Close every connection to every upstream."""
        for place in self._places.values():
            place.close()
        self._places.clear()

    def _drop_unused(self) -> None:
        # Reloads bring new addresses; places without connections cost nothing to make again.
        self._places = {address: place for address, place in self._places.items() if place.in_use}
