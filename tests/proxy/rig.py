"""A proxy between a recording origin and raw sockets, all on loopback."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from actions import LANGUAGE
from policy.compiled import Policy
from policy.exchange import Endpoint
from policy.load import load_policy
from proxy.completion import Completion
from proxy.deadlines import Deadlines
from proxy.downstream import DownstreamProtocol
from proxy.endpoint import ServedEndpoint, UpstreamAddress
from proxy.endpoint_table import EndpointTable
from proxy.limits import Limits
from proxy.service import Listener, Runtime, Service
from proxy.trusted_proxies import TrustedProxies
from proxy.upstream_pool import UpstreamPool
from tests import exchanges

LOOPBACK = "127.0.0.1"
PATIENCE_S = 10.0
TICK_S = 0.02
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


async def until(condition: Callable[[], Any]) -> None:
    """Wait for a condition, looking often; fail when it never comes true."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what changes may be outside of the loop
            await asyncio.sleep(0.005)


@dataclass
class Received:
    """One request as the origin got it: the very bytes of its head, and its body decoded."""

    head: bytes
    body: bytes = b""
    trailers: bytes = b""
    chunked: bool = False

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def method(self) -> str:
        return self.line.split(" ")[0]

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]

    def all(self, name: str) -> list[str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = [line.split(": ", 1) for line in lines if line]
        return [value for key, value in pairs if key.lower() == name.lower()]

    def first(self, name: str) -> str | None:
        values = self.all(name)
        return values[0] if values else None


Answer = Callable[[Received], Awaitable[bytes] | bytes]
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Origin:
    """Records every request; answers with `answer`, or plays `script` on each connection."""

    answer: Answer = lambda _: OK
    script: Script | None = None
    port: int = 0
    received: list[Received] = field(default_factory=list)
    raw: bytearray = field(default_factory=bytearray)
    connections: int = 0
    open: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self.serve(reader, writer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        try:
            if self.script is not None:
                await self.script(reader, writer)
                return
            while True:
                request = await self.read(reader)
                answer = self.answer(request)
                writer.write(answer if isinstance(answer, bytes) else await answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()

    async def read(self, reader: asyncio.StreamReader) -> Received:
        request = Received(await reader.readuntil(b"\r\n\r\n"))
        self.raw += request.head
        length = re.search(rb"\r\ncontent-length: (\d+)\r\n", request.head, re.IGNORECASE)
        if length:
            request.body = await reader.readexactly(int(length[1]))
        elif re.search(rb"\r\ntransfer-encoding: chunked\r\n", request.head, re.IGNORECASE):
            request.chunked = True
            while size := int((await reader.readuntil(b"\r\n"))[:-2], 16):
                request.body += (await reader.readexactly(size + 2))[:-2]
            while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
                request.trailers += line
        self.received.append(request)
        return request


@asynccontextmanager
async def origin(
    answer: Answer | bytes = OK, *, script: Script | None = None
) -> AsyncIterator[Origin]:
    chosen: Answer = (lambda _: answer) if isinstance(answer, bytes) else answer
    played = Origin(answer=chosen, script=script)
    server = await asyncio.start_server(played.accept, LOOPBACK, 0, limit=1 << 24)
    played.port = server.sockets[0].getsockname()[1]
    try:
        yield played
    finally:
        server.close()
        for task in tuple(played.tasks):
            task.cancel()
        await asyncio.gather(*played.tasks, return_exceptions=True)


def policy(text: str = "") -> Policy:
    return load_policy(text, name="policy.yml", language=LANGUAGE)


def served(
    port: int | None, rules: str = "", host: str = "*", base_path: str = "", **face: Any
) -> ServedEndpoint:
    upstream = None
    if port is not None:
        upstream = UpstreamAddress(scheme="http", host=LOOPBACK, port=port, base_path=base_path)
    endpoint = Endpoint(
        id=f"ep_{host}", name=f"test {host}", url=f"http://{host}", protocol="http", host=host,
        port=80, **face,
    )  # fmt: skip
    return ServedEndpoint(endpoint=endpoint, policy=policy(rules), upstream=upstream)


@dataclass
class Proxy:
    """A running data plane; `completions` are the records of what it did."""

    service: Service
    port: int
    completions: list[Completion]
    protocols: list[DownstreamProtocol]
    server: asyncio.AbstractServer

    async def client(self) -> Client:
        return Client(*await asyncio.open_connection(LOOPBACK, self.port, limit=1 << 24))

    async def ask(self, request: bytes, *, method: str = "GET") -> Reply:
        """Send one request on a connection of its own and read the answer."""
        client = await self.client()
        try:
            client.send(request)
            return await client.reply(method)
        finally:
            client.close()

    async def completion(self) -> Completion:
        await until(lambda: self.completions)
        return self.completions[-1]


@asynccontextmanager
async def proxy(
    *endpoints: ServedEndpoint,
    limits: Limits | None = None,
    trusted: TrustedProxies | None = None,
) -> AsyncIterator[Proxy]:
    deadlines = Deadlines(tick_s=TICK_S)
    catch_all = next((each for each in endpoints if each.endpoint.host == "*"), None)
    runtime = Runtime(
        endpoints=EndpointTable(
            [each for each in endpoints if each is not catch_all], catch_all=catch_all
        ),
        trusted_proxies=trusted or TrustedProxies(),
        surroundings=exchanges.surroundings(now_ns=time.time_ns),
        limits=limits or Limits(),
    )
    completions: list[Completion] = []
    service = Service(
        runtime=runtime,
        pool=UpstreamPool(deadlines),
        completed=completions.append,
        now_ns=time.time_ns,
        deadlines=deadlines,
    )
    protocols: list[DownstreamProtocol] = []

    def accept() -> DownstreamProtocol:
        protocols.append(DownstreamProtocol(service, Listener(host=LOOPBACK, port=0)))
        return protocols[-1]

    server = await asyncio.get_running_loop().create_server(accept, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield Proxy(service, port, completions, protocols, server)
    finally:
        server.close()
        service.pool.close()


@dataclass
class Reply:
    """One response as the client got it."""

    status: int
    head: bytes
    body: bytes
    closed: bool = False

    def first(self, name: str) -> str | None:
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name.lower():
                return value
        return None


@dataclass
class Client:
    """A raw client connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def close(self) -> None:
        self.writer.close()

    async def reply(self, method: str = "GET") -> Reply:
        async with asyncio.timeout(PATIENCE_S):
            return await self._reply(method)

    async def _reply(self, method: str) -> Reply:
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        reply = Reply(status, head, b"")
        if method == "HEAD" or status < 200 or status in (204, 304):
            return reply
        length = reply.first("content-length")
        if length is not None:
            reply.body = await self.reader.readexactly(int(length))
        elif reply.first("transfer-encoding") == "chunked":
            while size := int((await self.reader.readuntil(b"\r\n"))[:-2], 16):
                reply.body += (await self.reader.readexactly(size + 2))[:-2]
            while (await self.reader.readuntil(b"\r\n")) != b"\r\n":
                pass
        else:
            reply.body = await self.reader.read()
            reply.closed = True
        return reply

    async def rest(self) -> bytes:
        """Read until the proxy closes; a reset counts as closing."""
        async with asyncio.timeout(PATIENCE_S):
            data = b""
            try:
                while more := await self.reader.read(65536):
                    data += more
            except ConnectionError:
                pass
            return data


def request(
    method: str = "GET", target: str = "/", *lines: str, body: bytes = b"", host: str = "a.test"
) -> bytes:
    fields = [f"Host: {host}", *lines]
    if body:
        fields.append(f"Content-Length: {len(body)}")
    head = "\r\n".join([f"{method} {target} HTTP/1.1", *fields])
    return head.encode("latin-1") + b"\r\n\r\n" + body
