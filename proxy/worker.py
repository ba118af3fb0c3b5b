"""One of several processes that serve the same sockets, and does what its supervisor says."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

import uvloop

from policy.problem import PolicyError
from proxy.assembly import Assembly
from proxy.channel import Message, encode, metrics_to_json, status_from_json
from proxy.data_plane import Bound, DataPlane, Say
from proxy.event_stream import EventStream
from proxy.failure import Failure
from proxy.reload import load_version
from proxy.shared_counts import CountsSide
from proxy.status import Status
from proxy.store.interface import Store

# Whatever makes a supervisor silent for this long, the admin listener says so with an error.
STATUS_TIMEOUT_S = 5.0


def run_worker(worker: Worker, channel: socket.socket) -> None:
    """Serve until told to stop, or until the supervisor is gone."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(worker.run(channel))


class Worker:
    """One worker, in its own process."""

    def __init__(
        self,
        assembly: Assembly,
        assemble: Callable[[], Assembly],
        *,
        bound: Bound,
        admin_sockets: list[socket.socket],
        events: EventStream | None,
        say: Say,
        counts: CountsSide,
        store: Store,
    ) -> None:
        """Prepare to serve an assembly that the supervisor has found good."""
        self._assemble = assemble
        self._bound = bound
        self._admin_sockets = admin_sockets
        self._data_plane = DataPlane(assembly, events=events, say=say, counts=counts, store=store)
        self._files = assembly.files
        self._attempt = 0
        self._prepared: Assembly | None = None
        self._preparing: asyncio.Task[None] | None = None
        self._asked: list[asyncio.Future[Status]] = []
        self._stopping = asyncio.Event()
        self._stopping_now = asyncio.Event()

    async def run(self, channel: socket.socket) -> None:
        """Serve; messages come and go over `channel`."""
        reader, self._writer = await asyncio.open_connection(sock=channel)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._stopping.set)
        close_admin = await self._start_admin()
        self._data_plane.open(self._bound, shared=True)
        listening = asyncio.create_task(self._listen(reader), name="supervisor")
        self._send("ready")
        await self._stopping.wait()
        await self._data_plane.finish(self._stopping_now)
        if close_admin is not None:
            await close_admin()
        await self._data_plane.close()
        # The supervisor adds up what its workers have counted, also when they are gone.
        self._report()
        listening.cancel()
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                self._hear(json.loads(line))
        except ConnectionError:
            # It was killed before it had read what we said last.
            pass
        finally:
            # Without a supervisor nobody would ever load anew, restart or stop this process.
            self._stopping.set()

    def _hear(self, message: Message) -> None:
        match message["kind"]:
            case "prepare":
                self._attempt = message["number"]
                self._preparing = asyncio.create_task(self._prepare(self._attempt))
            case "commit":
                if self._prepared is not None:
                    self._data_plane.apply(self._prepared)
                self._prepared = None
            case "drop":
                self._prepared = None
            case "report":
                self._report()
            case "status":
                asked, self._asked = self._asked, []
                for each in asked:
                    if not each.done():
                        each.set_result(status_from_json(message))
            case "stop":
                self._stopping.set()
            case "stop-now":
                self._stopping.set()
                self._stopping_now.set()

    def _send(self, kind: str, **content: object) -> None:
        # To a supervisor that is gone there is nothing to say, and we are about to stop.
        if not self._writer.is_closing():
            self._writer.write(encode(kind, **content))

    def _report(self) -> None:
        self._send("report", metrics=metrics_to_json(self._data_plane.metrics()))

    async def _prepare(self, number: int) -> None:
        """Load the files as they are now, and keep the result until the supervisor decides."""
        try:
            loaded = await asyncio.to_thread(load_version, self._assemble, self._files)
        except (PolicyError, Failure) as error:
            self._send("prepared", number=number, version=None, error=str(error))
            return
        except Exception as error:  # noqa: BLE001 - a bug in us must not end all later reloads
            text = f"internal error: {type(error).__name__}: {error}"
            self._send("prepared", number=number, version=None, error=text)
            return
        # A later attempt may have begun meanwhile, and be ready before this one.
        if number == self._attempt:
            self._prepared = loaded.assembly
            self._files = loaded.assembly.files
            self._send("prepared", number=number, version=loaded.version, error=None)

    async def _start_admin(self) -> Callable[[], Awaitable[None]] | None:
        if not self._admin_sockets:
            return None
        from proxy.admin import start_admin
        from proxy.admin_people import People

        people = People(self._data_plane.service, lambda: self._data_plane.admin_token)
        runner = await start_admin(self._admin_sockets, self._status, people)
        return runner.cleanup

    async def _status(self) -> Status:
        """Ask the supervisor, which asks every worker, this one too."""
        asked: asyncio.Future[Status] = asyncio.get_running_loop().create_future()
        self._asked.append(asked)
        self._send("status")
        return await asyncio.wait_for(asked, STATUS_TIMEOUT_S)
