"""The proxy as one process: it serves, loads anew and answers about itself, all in one loop."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Awaitable, Callable

from policy.problem import render_problem
from proxy.assembly import Assembly
from proxy.data_plane import Bound, DataPlane, Say, address_lines
from proxy.event_stream import EventStream
from proxy.metrics import ReloadCounts
from proxy.reload import Reloader, ReloadResult, change_lines, result_line
from proxy.status import Status


class SingleProcess:
    """One running proxy."""

    def __init__(
        self,
        assembly: Assembly,
        assemble: Callable[[], Assembly],
        *,
        events: EventStream | None,
        say: Say,
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        """Prepare to serve an assembly; `assemble` makes the next one."""
        self._assembly = assembly
        self._assemble = assemble
        self._say = say
        self._on_ready = on_ready
        self._data_plane = DataPlane(assembly, events=events, say=say)
        self._reloads = ReloadCounts()
        self._stopping = asyncio.Event()
        self._stopping_now = asyncio.Event()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where connections are accepted, as `HOST:PORT`; empty before `run`."""
        return self._data_plane.addresses

    def stop(self) -> None:
        """Ask to end: the first time gracefully, the second time at once."""
        (self._stopping_now if self._stopping.is_set() else self._stopping).set()

    async def run(self, bound: Bound, admin_sockets: list[socket.socket]) -> None:
        """Serve on bound sockets until told to stop."""
        reloader = Reloader(
            current=self._assembly,
            assemble=self._assemble,
            apply=self._apply,
            report=self._report,
            now_ns=time.time_ns,
        )
        self._handle_signals(reloader)
        background = [
            asyncio.create_task(reloader.run(), name="reload"),
            asyncio.create_task(reloader.watch(), name="watch"),
        ]
        close_admin = await self._start_admin(admin_sockets, reloader)
        self._data_plane.open(bound, shared=False)
        for line in address_lines(bound):
            self._say(line)
        if self._on_ready is not None:
            self._on_ready()
        await self._stopping.wait()
        await self._data_plane.finish(self._stopping_now)
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        if close_admin is not None:
            await close_admin()
        await self._data_plane.close()

    def _handle_signals(self, reloader: Reloader) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self.stop)
        loop.add_signal_handler(signal.SIGTERM, self.stop)
        loop.add_signal_handler(signal.SIGHUP, reloader.ask)
        loop.add_signal_handler(
            signal.SIGUSR2,
            lambda: self._say("penstock: a rolling restart needs workers: 2 or more"),
        )

    async def _start_admin(
        self, sockets: list[socket.socket], reloader: Reloader
    ) -> Callable[[], Awaitable[None]] | None:
        """Open the admin listener where there is one; return what closes it."""
        if not sockets:
            return None
        # Imported here because aiohttp takes a fifth of a second, and most runs do without it.
        from proxy.admin import start_admin
        from proxy.admin_people import People

        async def status() -> Status:
            return Status(
                ready=not self._data_plane.service.stopping,
                last_reload=reloader.last.as_json(),
                metrics=(*self._data_plane.metrics(), *self._reloads.metrics()),
            )

        people = People(self._data_plane.service, lambda: self._data_plane.admin_token)
        runner = await start_admin(sockets, status, people)
        return runner.cleanup

    def _apply(self, assembly: Assembly) -> None:
        for line in change_lines(self._assembly, assembly):
            self._say(line)
        self._data_plane.apply(assembly)
        self._assembly = assembly
        for warning in assembly.warnings:
            self._say(render_problem(warning))

    def _report(self, result: ReloadResult) -> None:
        self._reloads.count(good=result.error is None)
        self._say(result_line(result))
