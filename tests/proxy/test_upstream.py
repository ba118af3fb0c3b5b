from __future__ import annotations

import asyncio

import pytest

from proxy.deadlines import Deadlines
from proxy.http1.response_head import ResponseHead, ResponseHeads
from proxy.limits import Limits
from proxy.refusal import Refusal
from proxy.upstream import UpstreamConnection
from tests.proxy.rig import OK, origin, proxy, request, served, until

HEAD = b"HTTP/1.1 200 OK\r\n"

BAD = {
    "length-and-coding": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two-lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "two-equal-lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "length-list": HEAD + b"Content-Length: 5, 5\r\n\r\nhello",
    "signed-length": HEAD + b"Content-Length: +5\r\n\r\nhello",
    "coding-gzip": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "coding-in-1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "flood-of-100": b"HTTP/1.1 100 Continue\r\n\r\n" * 1000 + OK,
    "unasked-101": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "length-on-204": b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
    "length-on-304": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello",
    "body-after-204": b"HTTP/1.1 204 No Content\r\n\r\nhello",
    "bytes-past-the-length": HEAD + b"Content-Length: 2\r\n\r\nok" + OK,
    "nul-in-value": HEAD + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "bare-cr-in-value": HEAD + b"X: a\rb\r\nContent-Length: 0\r\n\r\n",
    "bare-lf-line": HEAD + b"X: a\nY: b\r\nContent-Length: 0\r\n\r\n",
    "obs-fold": HEAD + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "space-before-colon": HEAD + b"X : a\r\nContent-Length: 0\r\n\r\n",
    "name-with-underscored-coding": HEAD + b"Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n",
    "huge-head": HEAD + b"X: " + b"a" * 10_000_000 + b"\r\n\r\n",
    "endless-head": HEAD + b"X: 1\r\n" * 1_000_000,
    "too-many-fields": HEAD + b"X: 1\r\n" * 300 + b"\r\n",
    "http-2": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "status-of-two-digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "status-000": b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n",
    "no-http": b"SSH-2.0-OpenSSH_9.0\r\n\r\n",
    "two-locations": b"HTTP/1.1 302 F\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
    "chunk-size-signed": HEAD + b"Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n",
    "chunk-size-overflow": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\n",
    "chunk-longer-than-said": HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
    "endless-trailers": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: 1\r\n" * 100_000,
    "nothing": b"",
}  # fmt: skip


@pytest.mark.parametrize("answer", BAD.values(), ids=BAD.keys())
async def test_a_bad_answer_is_502_and_its_connection_is_not_used_again(answer: bytes) -> None:
    """T-SM-R."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(answer)
            if not answer:
                return

    async with origin(script=script) as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        client.send(request())
        reply = await client.reply()
        assert reply.status == 502
        assert reply.first("ngrok-error-code") in {"ERR_NGROK_3004", "ERR_NGROK_3007"}
        upstream.script = None
        client.send(request())
        assert (await client.reply()).body == b"ok"
        assert upstream.connections == 2
        client.close()


async def test_bytes_behind_a_complete_answer_never_reach_the_next_client() -> None:
    """T-SM-R."""
    poison = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await poison.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        await reader.read()

    async with origin(script=script) as upstream, proxy(served(upstream.port)) as running:
        assert (await running.ask(request())).body == b"ok"
        poison.set()
        await until(lambda: upstream.open == 0)
        upstream.script = None
        assert (await running.ask(request())).body == b"ok"


@pytest.mark.parametrize("size", [1, 3, 7])
async def test_an_answer_in_small_pieces_is_read_whole(size: int) -> None:
    answer = (
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n"
    )

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            for at in range(0, len(answer), size):
                writer.write(answer[at : at + size])
                await writer.drain()

    async with origin(script=script) as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        for _ in range(2):
            client.send(request())
            assert (await client.reply()).status == 103
            assert (await client.reply()).body == b"hello!"
        assert upstream.connections == 1
        client.close()


async def test_an_answer_before_the_requests_end_is_passed_on() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")

    async with origin(script=script) as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000)
        assert (await client.reply()).status == 413
        client.close()


async def test_events_are_passed_on_as_they_come() -> None:
    """T-SSE-1."""
    steps = [asyncio.Event() for _ in range(3)]

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"Last-Event-ID: 7" in head
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for number, step in enumerate(steps):
            await step.wait()
            writer.write(b"data: %d\n\n" % number)

    async with origin(script=script) as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        client.send(request("GET", "/", "Last-Event-ID: 7"))
        await client.reader.readuntil(b"\r\n\r\n")
        for number, step in enumerate(steps):
            step.set()
            async with asyncio.timeout(2):
                await client.reader.readuntil(b"data: %d\n\n\r\n" % number)
        client.close()


async def test_a_slow_reader_holds_the_origin_back() -> None:
    sent = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        while sent < 100_000_000:
            writer.write(b"x" * 100_000)
            sent += 100_000
            await writer.drain()

    async with origin(script=script) as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        client.send(request())
        await until(lambda: running.protocols and running.protocols[0]._client_blocked)
        assert running.protocols[0]._transport.get_write_buffer_size() < 1 << 20
        client.reader._transport.resume_reading()  # type: ignore[attr-defined]
        assert len((await client.reply()).body) == 100_000_000
        client.close()


async def test_a_slow_origin_holds_the_client_back() -> None:
    go = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        await go.wait()
        reader._transport.resume_reading()  # type: ignore[attr-defined]
        await reader.readexactly(30_000_000)
        writer.write(OK)

    async with origin(script=script) as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n\r\n")
        client.send(b"x" * 30_000_000)
        await until(lambda: running.protocols and running.protocols[0]._upstream_blocked)
        go.set()
        assert (await client.reply()).status == 200
        client.close()


class Wire(asyncio.Transport):
    """A transport that knows whether it is read from."""

    is_read = True

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True


class SlowClient:
    """Takes a response, and no more of it once it has begun."""

    def __init__(self, upstream: UpstreamConnection) -> None:
        self.upstream = upstream
        self.ended = False

    def response_head(self, head: ResponseHead, content: bytes, *, ended: bool) -> None:
        del head, content
        self.upstream.pause()
        self.ended = ended

    def interim_response(self, head: ResponseHead) -> None: ...
    def response_content(self, content: bytes, *, ended: bool) -> None: ...
    def switched_protocols(self, head: ResponseHead, first: bytes) -> None: ...
    def tunnel_content(self, data: bytes) -> None: ...
    def upstream_blocked(self) -> None: ...
    def upstream_unblocked(self) -> None: ...
    def upstream_failed(self, failure: Refusal) -> None: ...


class Pool:
    def __init__(self) -> None:
        self.heads = ResponseHeads()

    def forget(self, connection: UpstreamConnection) -> None: ...


async def test_a_connection_that_waits_for_the_next_request_is_read_from() -> None:
    wire, upstream = Wire(), UpstreamConnection(Pool(), Deadlines(), Limits())
    upstream.connection_made(wire)
    client = SlowClient(upstream)
    upstream.begin(client, "GET", upgrading=False)
    upstream.data_received(OK)
    assert client.ended
    assert not wire.is_read
    upstream.rest_until(60.0)
    assert wire.is_read
