from __future__ import annotations

import asyncio
import ssl

import pytest

from proxy.downstream import State
from proxy.limits import Limits
from tests.proxy.rig import CONTINUE, OK, Client, Received, origin, proxy, request, served, until

CHUNKED_HEAD = b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
HI = "on_http_request: [{actions: [{type: custom-response, config: {body: hi}}]}]"


async def echo(received: Received) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(received.body), received.body)


async def test_requests_follow_each_other_on_one_connection() -> None:
    async with origin() as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        for number in range(3):
            client.send(request("GET", f"/{number}"))
            assert (await client.reply()).status == 200
        client.close()
        assert [r.target for r in upstream.received] == ["/0", "/1", "/2"]


async def test_pipelined_requests_are_answered_in_order_one_at_a_time() -> None:
    async def echo_target(received: Received) -> bytes:
        body = received.target.encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    async with origin(echo_target) as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        client.send(b"".join(request("GET", f"/{number}") for number in range(50)))
        bodies = [(await client.reply()).body for _ in range(50)]
        assert bodies == [b"/%d" % number for number in range(50)]
        assert upstream.connections == 1
        client.close()


async def test_a_flood_of_pipelined_requests_is_held_in_bounded_memory() -> None:
    """T-SM-13."""
    never = asyncio.Event()

    async def stall(_: Received) -> bytes:
        await never.wait()
        return OK

    async with origin(stall) as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        sent = 0
        for _ in range(1000):
            client.send(request("GET", "/" + "x" * 4000))
            sent += 4000
        await until(lambda: upstream.received)
        (protocol,) = running.protocols
        await until(lambda: protocol._held)
        assert len(protocol._held) < 1 << 20
        never.set()
        client.close()


async def test_a_client_that_never_reads_does_not_fill_our_memory() -> None:
    async with origin() as upstream:
        body = "x" * 10_000
        rules = (
            f"on_http_request: [{{actions: [{{type: custom-response, config: {{body: {body}}}}}]}}]"
        )
        async with proxy(served(upstream.port, rules)) as running:
            client = await running.client()
            client.reader._transport.pause_reading()  # type: ignore[attr-defined]
            for _ in range(5000):
                client.send(request())
            (protocol,) = running.protocols
            await until(lambda: protocol._client_blocked)
            transport = protocol._transport
            await asyncio.sleep(0.05)
            assert transport.get_write_buffer_size() < 1 << 20
            client.close()


async def test_content_length_bodies_arrive_whole() -> None:
    async with origin(echo) as upstream, proxy(served(upstream.port)) as running:
        body = bytes(range(256)) * 4096
        reply = await running.ask(request("POST", "/", body=body))
        assert reply.body == body
        assert upstream.received[0].body == body


async def test_chunked_bodies_arrive_whole_however_they_are_cut() -> None:
    async with origin(echo) as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        message = CHUNKED_HEAD + b"5;a=b\r\nhello\r\nA\r\n wonderful\r\n0\r\nX-T: 1\r\n\r\n"
        for at in range(len(message)):
            client.send(message[at : at + 1])
            await asyncio.sleep(0)
        assert (await client.reply()).body == b"hello wonderful"
        assert upstream.received[0].chunked
        client.close()


async def test_a_waiting_client_is_told_to_continue_when_forwarding_begins() -> None:
    async with origin(echo) as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        client.send(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        )
        assert (await client.reply()).head == CONTINUE
        client.send(b"hello")
        assert (await client.reply()).body == b"hello"
        assert upstream.received[0].all("expect") == []
        client.close()


async def test_a_waiting_client_that_is_refused_is_not_told_to_continue() -> None:
    rules = "on_http_request: [{actions: [{type: deny}]}]"
    async with proxy(served(None, rules)) as running:
        client = await running.client()
        client.send(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        )
        data = await client.rest()
        assert data.startswith(b"HTTP/1.1 403")
        assert data.count(b"HTTP/1.1") == 1


async def test_other_expectations_are_refused() -> None:
    async with origin() as upstream, proxy(served(upstream.port)) as running:
        reply = await running.ask(request("GET", "/", "Expect: foo"))
        assert reply.status == 417
        assert upstream.received == []


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n"),
    ],
)
async def test_responses_without_content_keep_the_connection(method: str, answer: bytes) -> None:
    async with origin(answer) as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        for _ in range(2):
            client.send(request(method))
            reply = await client.reply(method)
            assert reply.status == int(answer[9:12])
        if b"1000" in answer:
            assert reply.first("content-length") == "1000"
        assert upstream.connections == 1
        client.close()


async def test_a_body_until_close_becomes_chunked() -> None:
    async def until_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nhello")

    async with origin(script=until_close) as upstream, proxy(served(upstream.port)) as running:
        reply = await running.ask(request())
        assert (reply.body, reply.first("transfer-encoding")) == (b"hello", "chunked")


async def test_an_http_1_0_client_gets_no_chunks() -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    async with origin(answer) as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        client.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
        data = await client.rest()
        assert data.endswith(b"\r\n\r\nhello")
        assert b"chunked" not in data
        assert upstream.received[0].line == "GET / HTTP/1.1"


async def test_an_http_1_0_client_may_keep_its_connection() -> None:
    async with origin() as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        for _ in range(2):
            client.send(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
            reply = await client.reply()
            assert (reply.status, reply.first("connection")) == (200, "keep-alive")
        client.close()


async def test_connection_close_is_honoured() -> None:
    async with origin() as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        client.send(request("GET", "/", "Connection: close"))
        data = await client.rest()
        assert data.endswith(b"ok")
        assert b"Connection: close\r\n" in data


async def test_a_stopping_service_ends_connections_after_their_response() -> None:
    async with origin() as upstream, proxy(served(upstream.port)) as running:
        client, idle = await running.client(), await running.client()
        client.send(request())
        await client.reply()
        await until(lambda: len(running.protocols) == 2)
        running.service.stopping = True
        client.send(request())
        assert (await client.reply()).first("connection") == "close"
        for protocol in running.protocols:
            protocol.stop()
        assert await idle.rest() == b""


async def test_the_first_byte_has_a_deadline() -> None:
    limits = Limits(first_byte_timeout_s=0.1)
    async with proxy(served(None, HI), limits=limits) as running:
        client = await running.client()
        assert await client.rest() == b""


async def test_the_head_has_a_deadline_that_no_byte_moves() -> None:
    """T-DO-1."""
    limits = Limits(head_timeout_s=0.2)
    async with proxy(served(None, HI), limits=limits) as running:
        client = await running.client()

        async def drip() -> None:
            for byte in request("GET", "/" + "x" * 4000):
                client.send(bytes([byte]))
                await asyncio.sleep(0.01)

        dripping = asyncio.create_task(drip())
        data = await client.rest()
        assert data.startswith(b"HTTP/1.1 408")
        dripping.cancel()
        assert (await running.completion()).reason == "request-timeout"


async def test_a_body_that_never_comes_has_a_deadline() -> None:
    """T-DO-4."""
    limits = Limits(body_idle_timeout_s=0.1)
    async with origin() as upstream, proxy(served(upstream.port), limits=limits) as running:
        client = await running.client()
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
        assert (await client.rest()).startswith(b"HTTP/1.1 408")
        await until(lambda: upstream.open == 0)


async def drip(client: Client, *, every_s: float) -> None:
    client.send(CHUNKED_HEAD)
    while True:
        client.send(b"1\r\nx\r\n")
        await asyncio.sleep(every_s)


async def test_a_body_that_trickles_in_time_for_each_deadline_has_an_end_all_the_same() -> None:
    """T-DO-2."""
    limits = Limits(body_idle_timeout_s=0.3, min_body_bytes_per_s=100_000)
    async with origin() as upstream, proxy(served(upstream.port), limits=limits) as running:
        client = await running.client()
        dripping = asyncio.create_task(drip(client, every_s=0.01))
        assert (await client.rest()).startswith(b"HTTP/1.1 408")
        dripping.cancel()
        assert (await running.completion()).reason == "request-timeout"
        await until(lambda: upstream.open == 0)


@pytest.mark.parametrize("rate", [0, 100], ids=["no minimum", "fast enough"])
async def test_a_slow_body_may_take_many_timeouts(rate: int) -> None:
    """Six bytes in each hundredth of a second are 600 in a second."""
    limits = Limits(body_idle_timeout_s=0.7, min_body_bytes_per_s=rate)
    async with origin(echo) as upstream, proxy(served(upstream.port), limits=limits) as running:
        client = await running.client()
        dripping = asyncio.create_task(drip(client, every_s=0.01))
        loop = asyncio.get_running_loop()
        start = loop.time()
        await until(lambda: loop.time() - start > 3 * limits.body_idle_timeout_s)
        dripping.cancel()
        client.send(b"0\r\n\r\n")
        assert (await client.reply()).status == 200
        client.close()


async def test_a_body_that_the_upstream_does_not_take_is_not_slow() -> None:
    go = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        await go.wait()
        reader._transport.resume_reading()  # type: ignore[attr-defined]
        await reader.readexactly(20_000_000)
        writer.write(OK)

    limits = Limits(body_idle_timeout_s=1.0)
    async with (
        origin(script=script) as upstream,
        proxy(served(upstream.port), limits=limits) as running,
    ):
        client = await running.client()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n")
        client.send(b"x" * 20_000_000)
        await until(lambda: running.protocols and running.protocols[0]._upstream_blocked)
        loop = asyncio.get_running_loop()
        start = loop.time()
        await until(lambda: loop.time() - start > 2 * limits.body_idle_timeout_s)
        go.set()
        assert (await client.reply()).status == 200
        client.close()


async def test_a_body_that_stays_away_has_a_deadline_whatever_the_answer_does() -> None:
    """The response was held up by a reader that paused, and went on: the body is still due."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 20000001\r\n\r\n" + b"x" * 20_000_000)
        await reader.read()

    limits = Limits(body_idle_timeout_s=0.3)
    async with (
        origin(script=script) as upstream,
        proxy(served(upstream.port), limits=limits) as running,
    ):
        client = await running.client()
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
        # On a busy machine the body may be overdue before the response fills the line.
        await until(
            lambda: (
                running.protocols and (running.protocols[0]._client_blocked or running.completions)
            )
        )
        client.reader._transport.resume_reading()  # type: ignore[attr-defined]
        await until(lambda: upstream.open == 0)
        client.close()


async def test_an_idle_connection_has_a_deadline() -> None:
    """T-DO-2."""
    limits = Limits(keep_alive_timeout_s=0.1)
    async with proxy(served(None, HI), limits=limits) as running:
        client = await running.client()
        client.send(request())
        assert (await client.reply()).status == 200
        assert await client.rest() == b""


async def test_a_client_that_stops_reading_has_a_deadline() -> None:
    """T-DO-2."""

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    limits = Limits(body_idle_timeout_s=0.2)
    async with (
        origin(script=endless) as upstream,
        proxy(served(upstream.port), limits=limits) as running,
    ):
        client = await running.client()
        client.send(request())
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: upstream.connections == 1 and upstream.open == 0)
        (protocol,) = running.protocols
        assert protocol._state is State.LINGER
        client.close()


async def test_a_half_closed_client_still_gets_a_quick_answer() -> None:
    async with origin() as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        client.send(request())
        client.writer.write_eof()
        data = await client.rest()
        assert data.startswith(b"HTTP/1.1 200")


async def test_an_early_answer_leaves_the_connection_usable_when_the_body_follows() -> None:
    async with proxy(served(None, HI)) as running:
        client = await running.client()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
        assert (await client.reply()).status == 200
        client.send(b"helloGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await client.reply()).status == 200
        client.close()


async def test_an_unwanted_body_is_read_only_so_far() -> None:
    async with proxy(served(None, HI)) as running:
        client = await running.client()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n")
        assert (await client.reply()).status == 200
        client.send(b"x" * 5_000_000)
        await client.rest()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET /" + b"a" * 100_000, 414),
        (b"A" * 100_000 + b" / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 100_000, 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 100 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"Cookie: x\r\n" * 1_000_000, 431),
    ],
    ids=["target", "endless-target", "method", "line", "endless-line", "count", "8-MB-of-cookies"],
)
async def test_heads_are_bounded(data: bytes, status: int) -> None:
    """T-DO-6, T-SM-10."""
    async with origin() as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        client.send(data)
        reply = await client.rest()
        assert int(reply[9:12]) == status
        assert upstream.connections == 0


async def test_a_long_line_byte_by_byte_is_refused_within_the_bound() -> None:
    """T-SM-10."""
    async with origin() as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        line = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 100_000
        for at in range(0, len(line), 100):
            client.send(line[at : at + 100])
            await asyncio.sleep(0)
        assert (await client.rest()).startswith(b"HTTP/1.1 431")


async def test_what_is_no_http_at_all_is_refused_at_once() -> None:
    context = ssl.create_default_context()
    async with proxy(served(None, HI)) as running:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", running.port, ssl=context)
        assert (await running.completion()).reason == "bad-request-line"


async def test_nothing_is_left_behind() -> None:
    async with origin() as upstream, proxy(served(upstream.port)) as running:
        for _ in range(20):
            await running.ask(request())
        await until(lambda: all(p._state is State.LINGER for p in running.protocols))
        await until(lambda: len(running.service.deadlines) <= 1)
