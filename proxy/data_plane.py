"""What one process does with the listening sockets that it is given: serve, change, stop."""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from proxy.assembly import Assembly
from proxy.deadlines import Deadlines
from proxy.event_stream import EventStream
from proxy.event_writer import EventWriter
from proxy.internal_error import LoopErrors
from proxy.listener import ACCEPT_BATCH, ACCEPT_BATCH_SHARED, OpenListener
from proxy.metrics import Metric, store_metrics, traffic_metrics
from proxy.open_connections import OpenConnections
from proxy.rare_warning import RareWarning
from proxy.readmission import readmit_streams
from proxy.service import Listener, Service
from proxy.shared_counts import CountsSide
from proxy.store.interface import Store
from proxy.store.opening import open_store
from proxy.upstream_pool import UpstreamPool

# How often connections that became idle are told to close while we stop.
STOP_STEP_S = 0.2
# What goes on without any client: a session that is being refreshed, say.
LAST_WORK_S = 5.0

Say: TypeAlias = Callable[[str], None]
Bound: TypeAlias = Sequence[tuple[Listener, list[socket.socket]]]


class DataPlane:
    """The listeners of one process and every connection behind them."""

    def __init__(
        self,
        assembly: Assembly,
        *,
        events: EventStream | None,
        say: Say,
        counts: CountsSide | None = None,
        store: Store | None = None,
    ) -> None:
        """Prepare to serve an assembly. To be made in the process that serves.

        `counts` tells of the connections of other processes that serve with this one; `store` is
        what they all have, None for the assembly's own.
        """
        self._say = say
        self._connections = OpenConnections(counts)
        self._listeners: list[OpenListener] = []
        self._readmission: asyncio.Task[None] | None = None
        self._writer = None if events is None else _writer(events, say)
        self.admin_token = assembly.admin_token
        self._keeping: asyncio.Task[None] | None = None
        deadlines = Deadlines()
        self.service = Service(
            runtime=assembly.runtime,
            pool=UpstreamPool(deadlines),
            completed=self._writer,
            now_ns=time.time_ns,
            deadlines=deadlines,
            store=open_store(assembly.store, None, say) if store is None else store,
        )

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where connections are accepted, as `HOST:PORT`; empty before `open`."""
        return tuple(each.address for each in self._listeners)

    def open(self, bound: Bound, *, shared: bool) -> None:
        """Accept connections from now on; `shared` when other processes accept from the same."""
        asyncio.get_running_loop().set_exception_handler(LoopErrors(self._say))
        refusals = RareWarning(self._say, "connections refused")
        batch = ACCEPT_BATCH_SHARED if shared else ACCEPT_BATCH
        self._listeners = [
            OpenListener(
                self.service, listener, each, self._connections, refusals=refusals, batch=batch
            )
            for listener, sockets in bound
            for each in sockets
        ]
        self._keep_documents()
        self.service.documents.on_change = self._readmit
        self.service.store.start()
        self._keeping = asyncio.create_task(self.service.documents.run(), name="documents")
        for each in self._listeners:
            each.start()

    def apply(self, assembly: Assembly) -> None:
        """Decide the next request by another assembly. Addresses stay as they are."""
        after = {(each.host, each.port): each for each in assembly.listeners}
        for each in self._listeners:
            key = each.listener.host, each.listener.port
            each.listener = after.get(key, each.listener)
        self.service.use(assembly.runtime)
        self.admin_token = assembly.admin_token
        self._keep_documents()
        self._readmit()

    def _readmit(self) -> None:
        """Decide open streams again: by another policy, or another issuer's key."""
        if self.service.streams:
            self._readmission = asyncio.create_task(readmit_streams(self.service))

    def _keep_documents(self) -> None:
        runtime = self.service.runtime
        self.service.documents.keep(runtime.documents, max_stale_s=runtime.limits.max_key_set_age_s)

    def metrics(self) -> Iterator[Metric]:
        """Count what this process does."""
        yield from traffic_metrics(
            connections=self._connections, pool=self.service.pool, writer=self._writer
        )
        yield from store_metrics(self.service.store)
        yield from self.service.counts.metrics()

    async def finish(self, at_once: asyncio.Event) -> None:
        """Accept no more and let everyone finish within `stop_timeout_s`, or until `at_once`."""
        for each in self._listeners:
            each.stop()
        self.service.stopping = True
        self.service.streams.send_away()
        timeout_s = self.service.runtime.limits.stop_timeout_s
        self._connections.stop()
        if self._connections.total:
            self._say(f"penstock: stopping; requests in progress have {timeout_s:g} s to finish")
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_s
        while not at_once.is_set() and loop.time() < end:
            # Again and again: a connection that was busy a moment ago may be idle now.
            self._connections.stop()
            if await self._connections.emptied(STOP_STEP_S):
                return
        if self._connections.total:
            self._say(f"penstock: {self._connections.total} connections were cut off")

    async def close(self) -> None:
        """Drop the connections to upstreams and write the last events."""
        if self._keeping is not None:
            self._keeping.cancel()
        await self.service.single_flight.close(LAST_WORK_S)
        self.service.calculator.close()
        await self.service.documents.close()
        await self.service.fetcher.close()
        await self.service.store.close()
        self.service.pool.close()
        if self._writer is not None:
            self._writer.close()


def _writer(events: EventStream, say: Say) -> EventWriter:
    lost = RareWarning(say, "events lost")
    return EventWriter(events, process_id=secrets.token_hex(8), lost=lost)


def address_lines(bound: Iterable[tuple[Listener, list[socket.socket]]]) -> Iterator[str]:
    """Say where connections are accepted, one line for each socket."""
    for listener, sockets in bound:
        for each in sockets:
            yield f"penstock: listening on {listener.scheme}://{socket_address(each)}"


def socket_address(sock: socket.socket) -> str:
    """Return the address in use as `HOST:PORT`, also where the system chose the port."""
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
