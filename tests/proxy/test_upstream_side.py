"""What passes between an exchange and its upstream, over sockets."""

from __future__ import annotations

import asyncio

import pytest

from proxy.limits import Limits
from tests.proxy.rig import OK, origin, proxy, request, served, until


@pytest.mark.parametrize(
    "line",
    [
        "Proxy-Authorization: x", "Proxy: x", "TE: trailers", "Trailer: x", "Keep-Alive: 5",
        "HTTP2-Settings: x", "Upgrade: h2c", "Proxy-Connection: close",
    ],
)  # fmt: skip
async def test_hop_by_hop_fields_stay_here(line: str) -> None:
    """T-HD-4."""
    async with origin() as upstream, proxy(served(upstream.port)) as running:
        await running.ask(request("GET", "/", line))
        assert upstream.received[0].all(line.split(":", maxsplit=1)[0]) == []


async def test_connection_options_cannot_remove_managed_fields() -> None:
    line = "Connection: keep-alive, X-Hop, Authorization, Host, X-Forwarded-For"
    fields = (line, "X-Hop: 1", "Authorization: Basic eA==")
    async with origin() as upstream, proxy(served(upstream.port)) as running:
        await running.ask(request("GET", "/", *fields))
        (received,) = upstream.received
        assert received.all("x-hop") == []
        assert received.first("authorization") == "Basic eA=="
        assert received.first("host") == "a.test"
        assert received.first("x-forwarded-for") == "127.0.0.1"


async def test_the_origin_cannot_speak_in_the_proxys_name() -> None:
    answer = (
        b"HTTP/1.1 200 OK\r\nngrok-error-code: ERR_NGROK_1\r\nngrok_error_code: x\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
    async with origin(answer) as upstream, proxy(served(upstream.port)) as running:
        assert b"ngrok" not in (await running.ask(request())).head


async def test_an_upstream_that_refuses_is_answered_502() -> None:
    async with origin() as upstream:
        port = upstream.port
    async with proxy(served(port)) as running:
        reply = await running.ask(request())
        assert (reply.status, reply.first("ngrok-error-code")) == (502, "ERR_NGROK_3006")
        assert (await running.completion()).reason == "upstream-unreachable"


async def test_an_upstream_that_never_answers_is_answered_504() -> None:
    """T-DO-5."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    limits = Limits(upstream_head_timeout_s=0.1)
    async with (
        origin(script=silent) as upstream,
        proxy(served(upstream.port), limits=limits) as running,
    ):
        reply = await running.ask(request())
        assert (reply.status, reply.first("ngrok-error-code")) == (504, "ERR_NGROK_3008")
        await until(lambda: upstream.open == 0)


async def test_a_stale_kept_connection_is_replaced_for_a_repeatable_request() -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        # The next request arrives, and the server closes without a word.
        await reader.readuntil(b"\r\n\r\n")

    async with origin(script=once) as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        for _ in range(3):
            client.send(request())
            assert (await client.reply()).status == 200
        assert upstream.connections == 3
        client.send(request("POST", "/", body=b"x"))
        assert (await client.reply()).status == 502
        client.close()


async def test_upstream_connections_are_used_again() -> None:
    async with origin() as upstream, proxy(served(upstream.port)) as running:
        for _ in range(5):
            assert (await running.ask(request())).status == 200
        assert upstream.connections == 1
        assert running.completions[-1].upstream_connection_reused


async def test_a_base_path_stands_before_the_path() -> None:
    async with origin() as upstream, proxy(served(upstream.port, base_path="/app")) as running:
        await running.ask(request("GET", "/a?b"))
        assert upstream.received[0].target == "/app/a?b"


async def test_early_hints_pass() -> None:
    answer = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK
    async with origin(answer) as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        client.send(request())
        hint = await client.reply()
        assert (hint.status, hint.first("link")) == (103, "</x>")
        assert (await client.reply()).status == 200
        client.close()


async def test_trailers_pass_both_ways_without_reserved_ones() -> None:
    chunked = b"5\r\nhello\r\n0\r\nX-Sum: 1\r\nHost: evil\r\nContent-Length: 9\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked
    async with origin(answer) as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        client.send(head + b"Connection: close\r\n\r\n" + chunked)
        data = await client.rest()
        assert data.endswith(b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n")
        (received,) = upstream.received
        assert (received.body, received.trailers) == (b"hello", b"X-Sum: 1\r\n")


async def test_a_rewritten_host_is_restored_in_redirects() -> None:
    rules = """
on_http_request:
  - actions: [{type: add-headers, config: {headers: {host: inner.test}}}]
"""
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://inner.test/x\r\nContent-Length: 0\r\n\r\n"
    async with origin(answer) as upstream, proxy(served(upstream.port, rules)) as running:
        reply = await running.ask(request())
        assert upstream.received[0].all("host") == ["inner.test"]
        assert reply.first("location") == "http://a.test/x"
