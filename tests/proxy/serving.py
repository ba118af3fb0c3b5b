"""Runs the whole server on loopback inside a test, with an upstream that the test plays."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from policy.source import parse_source
from proxy.assembly import Assembly, assemble
from proxy.event_stream import EventStream
from proxy.listener import open_sockets
from proxy.plan import EndpointPlan, InlinePolicy, ListenerPlan, Plan, UpstreamPlan
from proxy.settings_types import SocketAddress, UpstreamTarget
from proxy.single_process import SingleProcess

LOOPBACK = "127.0.0.1"
ANY_PORT = SocketAddress(LOOPBACK, 0)
PATIENCE_S = 10.0


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, looking often; fail when it never comes true."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what changes may be outside of the loop
            await asyncio.sleep(0.005)


@dataclass
class Upstream:
    """An HTTP server that answers each request with 200 and its own name, when allowed to."""

    port: int = 0
    heads: list[str] = field(default_factory=list)
    allowed: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                self.heads.append(head)
                await self.allowed.wait()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nupstream")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def upstream() -> AsyncIterator[Upstream]:
    played = Upstream()
    played.allowed.set()
    server = await asyncio.start_server(played.serve, LOOPBACK, 0)
    played.port = server.sockets[0].getsockname()[1]
    try:
        yield played
    finally:
        played.allowed.set()
        server.close()


def plan_for(
    port: int, policy: str = "", listener: ListenerPlan | None = None, **others: Any
) -> Plan:
    """Plan one endpoint for every host, with a policy in front of a port of ours."""
    inline = InlinePolicy(node=parse_source(policy, name="policy.yml"), name="policy.yml")
    endpoint = EndpointPlan(
        name="test",
        url=None,
        upstream=UpstreamPlan(target=UpstreamTarget("http", LOOPBACK, port, "")),
        policy=inline,
    )
    others.setdefault("endpoints", (endpoint,))
    return Plan(listeners=(listener or ListenerPlan(address=ANY_PORT),), **others)


@dataclass
class Running:
    """A server that serves; `said` are its messages to the operator."""

    server: SingleProcess
    said: list[str]
    events_path: str
    task: asyncio.Task[None]
    admin_port: int = 0

    @property
    def port(self) -> int:
        return int(self.server.addresses[0].rpartition(":")[2])

    def events(self) -> list[dict[str, Any]]:
        with open(self.events_path, encoding="ascii") as file:  # noqa: PTH123
            return [json.loads(line) for line in file if line.endswith("\n")]

    async def event(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        await until(lambda: any(map(wanted, self.events())))
        return next(filter(wanted, self.events()))


@asynccontextmanager
async def serving(
    plan: Plan | None = None, *, load: Callable[[], Assembly] | None = None, admin: bool = False
) -> AsyncIterator[Running]:
    """Serve a plan, or what `load` gives, on ports that the system chooses."""
    if load is None:
        assert plan is not None
        given = plan
        load = lambda: assemble(given)  # noqa: E731
    assembly = load()
    descriptor, path = tempfile.mkstemp(suffix=".jsonl")
    said: list[str] = []
    ready = asyncio.Event()
    server = SingleProcess(
        assembly,
        load,
        events=EventStream(descriptor),
        say=said.append,
        on_ready=ready.set,
    )
    bound = [(each, open_sockets(each.host, each.port)) for each in assembly.listeners]
    admin_sockets = open_sockets(LOOPBACK, 0) if admin else []
    task = asyncio.create_task(server.run(bound, admin_sockets))
    running = Running(server, said, path, task)
    if admin:
        running.admin_port = admin_sockets[0].getsockname()[1]
    try:
        await asyncio.wait(
            [task, asyncio.ensure_future(ready.wait())], return_when="FIRST_COMPLETED"
        )
        yield running
    finally:
        server.stop()
        server.stop()
        await asyncio.wait_for(task, PATIENCE_S)
        os.close(descriptor)
        os.unlink(path)  # noqa: PTH108


async def ask(
    port: int, path: str = "/", *, host: str = "app.test", before: bytes = b"", **tls: Any
) -> tuple[int, str]:
    """Send one GET on a new connection; return status and the whole answer's text."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port, **tls)
    try:
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        writer.write(before + request.encode())
        answer = (await asyncio.wait_for(reader.read(), PATIENCE_S)).decode()
    finally:
        writer.close()
    return (int(answer.split(" ", 2)[1]) if answer else 0), answer
