"""The proxy's life: load everything, bind everything, serve, and stop without dropping anyone."""

from __future__ import annotations

import asyncio
import resource
import secrets
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import ExitStack, suppress
from typing import TypeAlias

import uvloop

from policy.problem import render_problem
from proxy.assembly import Assembly
from proxy.completion import Completion
from proxy.deadlines import Deadlines
from proxy.event_writer import EventWriter
from proxy.listener import OpenListener, open_sockets
from proxy.metrics import server_metrics
from proxy.open_connections import OpenConnections
from proxy.reload import Reloader, ReloadResult
from proxy.service import Listener, Service
from proxy.upstream_pool import UpstreamPool

# How often connections that became idle are told to close while we stop.
STOP_STEP_S = 0.2

Say: TypeAlias = Callable[[str], None]


def serve(
    assemble: Callable[[], Assembly],
    *,
    events: int | None,
    say: Say,
    on_ready: Callable[[], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM. SIGHUP and changed files load the configuration anew.

    `events` is the file descriptor for completion events, None for no events; `say` takes
    messages for the operator; `on_ready` is called once connections are accepted. Raises
    PolicyError or Failure before anything is served, and leaves nothing open then.
    """
    assembly = assemble()
    with ExitStack() as stack:
        bound = [(each, _bind(each, stack)) for each in assembly.listeners]
        admin = assembly.plan.admin
        admin_sockets = [] if admin is None else _held(open_sockets(*admin), stack)
        for warning in assembly.warnings:
            say(render_problem(warning))
        _raise_descriptor_limit()
        writer = None if events is None else EventWriter(events, process_id=secrets.token_hex(8))
        server = Server(assembly, assemble, writer=writer, say=say, on_ready=on_ready)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.run(bound, admin_sockets))


def _raise_descriptor_limit() -> None:
    """Use all descriptors the system grants: a client may need two, and 1024 is a usual start."""
    _, granted = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, granted))


def _bind(listener: Listener, stack: ExitStack) -> list[socket.socket]:
    return _held(open_sockets(listener.host, listener.port), stack)


def _held(sockets: list[socket.socket], stack: ExitStack) -> list[socket.socket]:
    for each in sockets:
        stack.callback(each.close)
    return sockets


class Server:
    """One running proxy."""

    def __init__(
        self,
        assembly: Assembly,
        assemble: Callable[[], Assembly],
        *,
        writer: EventWriter | None,
        say: Say,
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        """Prepare to serve an assembly; `assemble` makes the next one."""
        self._assembly = assembly
        self._assemble = assemble
        self._say = say
        self._on_ready = on_ready
        self._writer = writer
        self._connections = OpenConnections()
        self._listeners: list[OpenListener] = []
        self._reloads = {True: 0, False: 0}
        self._stopping = asyncio.Event()
        self._stopping_now = asyncio.Event()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where connections are accepted, as `HOST:PORT`; empty before `run`."""
        return tuple(each.address for each in self._listeners)

    def stop(self) -> None:
        """Ask to end: the first time gracefully, the second time at once."""
        (self._stopping_now if self._stopping.is_set() else self._stopping).set()

    async def run(
        self,
        bound: Iterable[tuple[Listener, list[socket.socket]]],
        admin_sockets: list[socket.socket],
    ) -> None:
        """Serve on bound sockets until told to stop."""
        deadlines = Deadlines()
        service = Service(
            runtime=self._assembly.runtime,
            pool=UpstreamPool(deadlines),
            completed=_unheard if self._writer is None else self._writer,
            now_ns=time.time_ns,
            deadlines=deadlines,
        )
        reloader = Reloader(
            current=self._assembly,
            assemble=self._assemble,
            apply=lambda assembly: self._apply(service, assembly),
            report=self._report,
            now_ns=time.time_ns,
        )
        self._handle_signals(reloader)
        self._listeners = [
            OpenListener(service, listener, each, self._connections)
            for listener, sockets in bound
            for each in sockets
        ]
        background = [
            asyncio.create_task(reloader.run(), name="reload"),
            asyncio.create_task(reloader.watch(), name="watch"),
        ]
        close_admin = await self._start_admin(admin_sockets, service, reloader)
        for each in self._listeners:
            each.start()
            self._say(f"penstock: listening on {each.listener.scheme}://{each.address}")
        if self._on_ready is not None:
            self._on_ready()
        await self._stopping.wait()
        await self._finish(service)
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        if close_admin is not None:
            await close_admin()
        service.pool.close()
        if self._writer is not None:
            self._writer.close()

    def _handle_signals(self, reloader: Reloader) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self.stop)
        loop.add_signal_handler(signal.SIGTERM, self.stop)
        loop.add_signal_handler(signal.SIGHUP, reloader.ask)

    async def _start_admin(
        self, sockets: list[socket.socket], service: Service, reloader: Reloader
    ) -> Callable[[], Awaitable[None]] | None:
        """Open the admin listener where there is one; return what closes it."""
        if not sockets:
            return None
        # Imported here because aiohttp takes a fifth of a second, and most runs do without it.
        from proxy.admin import AdminView, start_admin

        view = AdminView(
            is_serving=lambda: not service.stopping,
            last_reload=lambda: reloader.last,
            metrics=lambda: server_metrics(
                connections=self._connections,
                writer=self._writer,
                last=reloader.last,
                reloads=self._reloads,
            ),
        )
        runner = await start_admin(sockets, view)
        return runner.cleanup

    async def _finish(self, service: Service) -> None:
        """Let everyone finish within `stop_timeout_s`; a second signal cuts that short."""
        for each in self._listeners:
            each.stop()
        service.stopping = True
        timeout_s = service.runtime.limits.stop_timeout_s
        self._connections.stop()
        if self._connections.total:
            self._say(f"penstock: stopping; requests in progress have {timeout_s:g} s to finish")
        end = asyncio.get_running_loop().time() + timeout_s
        while not self._stopping_now.is_set() and asyncio.get_running_loop().time() < end:
            # Again and again: a connection that was busy a moment ago may be idle now.
            self._connections.stop()
            if await self._connections.emptied(STOP_STEP_S):
                return
        if self._connections.total:
            self._say(f"penstock: {self._connections.total} connections were cut off")

    def _apply(self, service: Service, assembly: Assembly) -> None:
        before = {(each.host, each.port): each for each in self._assembly.listeners}
        after = {(each.host, each.port): each for each in assembly.listeners}
        if before.keys() != after.keys() or assembly.plan.admin != self._assembly.plan.admin:
            self._say("penstock: addresses to listen on have changed: restart to use them")
        for each in self._listeners:
            key = each.listener.host, each.listener.port
            each.listener = after.get(key, each.listener)
        service.runtime = assembly.runtime
        self._assembly = assembly
        for warning in assembly.warnings:
            self._say(render_problem(warning))

    def _report(self, result: ReloadResult) -> None:
        self._reloads[result.error is None] += 1
        if result.error is None:
            self._say("penstock: configuration loaded anew")
        else:
            self._say(f"penstock: not loaded, the old configuration stays\n{result.error}")


def _unheard(_completion: Completion, /) -> None:
    """Take a completion that nobody wants to read."""
