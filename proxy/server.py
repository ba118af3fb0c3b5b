"""The proxy's life: load everything, bind everything, serve, and stop without dropping anyone."""

from __future__ import annotations

import asyncio
import gc
import resource
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial

import uvloop

from policy.problem import render_problem
from proxy.assembly import Assembly
from proxy.data_plane import Bound, Say, address_lines
from proxy.event_stream import EventStream
from proxy.failure import Failure
from proxy.listener import open_sockets
from proxy.settings_types import SocketAddress
from proxy.shared_counts import SharedCounts
from proxy.single_process import SingleProcess
from proxy.store.interface import Store
from proxy.store.opening import InMemory, open_store, with_key
from proxy.store.shared_memory import SharedMemory
from proxy.supervisor import Supervisor
from proxy.takeover import Inheritance, inheritance, is_trial, replace_process
from proxy.worker import Worker, run_worker


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
    if is_trial():
        return
    left = inheritance()
    with ExitStack() as stack:
        sockets = _Sockets(left or Inheritance(), stack)
        bound = [(each, sockets.of(each.host, each.port)) for each in assembly.listeners]
        admin = assembly.plan.admin
        admin_sockets = [] if admin is None else sockets.of(*admin)
        sockets.close_rest()
        for warning in assembly.warnings:
            say(render_problem(warning))
        _raise_descriptor_limit()
        assembly = replace(assembly, store=with_key(assembly.store, say))
        several = assembly.plan.workers > 1 or left is not None
        stream = None if events is None else EventStream(events, shared=several)
        if several:
            counts = SharedCounts(assembly.plan.workers)
            shared = _shared_memory(assembly, left, stack)
            supervisor = Supervisor(
                assembly,
                assemble,
                work=partial(
                    _work,
                    assemble=assemble,
                    bound=bound,
                    admin_sockets=admin_sockets,
                    events=stream,
                    say=say,
                    counts=counts,
                    # Not that of a later configuration: all workers have the same one.
                    store=partial(open_store, assembly.store, shared, say),
                ),
                lost=counts.wipe,
                sockets=sockets.all,
                say=say,
                on_ready=partial(_ready, bound, say, on_ready),
                upgrade=partial(replace_process, sockets.by_address, shared),
                predecessors=() if left is None else left.predecessors(),
                counted=() if left is None else left.counted,
            )
            _settle()
            supervisor.run()
            return
        _settle()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            process = SingleProcess(assembly, assemble, events=stream, say=say, on_ready=on_ready)
            runner.run(process.run(bound, admin_sockets))


def _work(
    number: int,
    assembly: Assembly,
    channel: socket.socket,
    *,
    assemble: Callable[[], Assembly],
    bound: Bound,
    admin_sockets: list[socket.socket],
    events: EventStream | None,
    say: Say,
    counts: SharedCounts,
    store: Callable[[], Store],
) -> None:
    """Serve in a worker's process, by the assembly that its supervisor has now."""
    now = {(each.host, each.port): each for each in assembly.listeners}
    worker = Worker(
        assembly,
        assemble,
        bound=[(now.get((old.host, old.port), old), sockets) for old, sockets in bound],
        admin_sockets=admin_sockets,
        events=events,
        say=say,
        counts=counts.side(number),
        store=store(),
    )
    run_worker(worker, channel)


def _shared_memory(
    assembly: Assembly, left: Inheritance | None, stack: ExitStack
) -> SharedMemory | None:
    """Return the store that all workers have, those of the process before this one too."""
    inherited = None if left is None else left.shared
    if not isinstance(assembly.store, InMemory):
        if inherited is not None:
            inherited.remove()
        return None
    try:
        shared = inherited or SharedMemory.make()
    except OSError as error:
        hint = "workers need a folder to share: /dev/shm, or the one for temporary files"
        raise Failure(f"can't make a store in memory: {error}", hint=hint) from None
    stack.callback(shared.remove)
    return shared


def _settle() -> None:
    """Take what is loaded so far out of the garbage collector's sight.

    It stays for good; workers share it for as long as nobody touches it.
    """
    gc.collect()
    gc.freeze()


def _ready(bound: Bound, say: Say, on_ready: Callable[[], None] | None) -> None:
    for line in address_lines(bound):
        say(line)
    if on_ready is not None:
        on_ready()


class _Sockets:
    """The listening sockets, inherited or opened; closed with the stack."""

    def __init__(self, left: Inheritance, stack: ExitStack) -> None:
        self._left = left
        self._stack = stack
        self.by_address: dict[SocketAddress, list[socket.socket]] = {}

    @property
    def all(self) -> list[socket.socket]:
        return [each for found in self.by_address.values() for each in found]

    def of(self, host: str, port: int) -> list[socket.socket]:
        address = SocketAddress(host, port)
        found = self._left.take(address) or open_sockets(host, port)
        for each in found:
            self._stack.callback(each.close)
        self.by_address.setdefault(address, []).extend(found)
        return found

    def close_rest(self) -> None:
        self._left.close_rest()


def _raise_descriptor_limit() -> None:
    """Use all descriptors the system grants: a client may need two, and 1024 is a usual start."""
    _, granted = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, granted))
