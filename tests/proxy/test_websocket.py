from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.proxy.rig import LOOPBACK, Proxy, origin, proxy, request, served, until

KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
ASKING = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", KEY)


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        if message == "close":
            await connection.close(4001, "enough")
        await connection.send(message)


@asynccontextmanager
async def tunnelled(rules: str = "", **options: object) -> AsyncIterator[Proxy]:
    async with serve(echo, LOOPBACK, 0, **options) as server:  # type: ignore[arg-type]
        port = next(iter(server.sockets)).getsockname()[1]
        async with proxy(served(port, rules)) as running:
            yield running


async def test_messages_pass_both_ways() -> None:
    async with tunnelled() as running:
        async with connect(f"ws://localhost:{running.port}/x") as client:
            for message in ("hello", b"\0\xff" * 100_000, "", "\U0001f600" * 1000):
                await client.send(message)
                assert await client.recv() == message
        record = await running.completion()
        assert (record.status, record.upgraded, record.client_aborted) == (101, True, False)


async def test_close_codes_of_the_server_arrive() -> None:
    async with tunnelled() as running, connect(f"ws://localhost:{running.port}") as client:
        await client.send("close")
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "enough")


async def test_close_codes_of_the_client_arrive() -> None:
    codes: list[int | None] = []

    async def listen(connection: ServerConnection) -> None:
        await connection.wait_closed()
        codes.append(connection.close_code)

    async with serve(listen, LOOPBACK, 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with proxy(served(port)) as running:
            async with connect(f"ws://localhost:{running.port}") as client:
                await client.close(4002, "bye")
            await until(lambda: codes)
    assert codes == [4002]


async def test_subprotocols_are_negotiated_end_to_end() -> None:
    async with tunnelled(subprotocols=["chat.v2"]) as running:
        uri = f"ws://localhost:{running.port}"
        async with connect(uri, subprotocols=["chat.v1", "chat.v2"]) as client:  # type: ignore[list-item]
            assert client.subprotocol == "chat.v2"


async def test_pings_pass() -> None:
    async with tunnelled() as running, connect(f"ws://localhost:{running.port}") as client:
        await asyncio.wait_for(await client.ping(), 5)


async def test_a_denied_handshake_gets_the_denial() -> None:
    rules = "on_http_request: [{actions: [{type: deny, config: {status_code: 401}}]}]"
    async with tunnelled(rules) as running:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://localhost:{running.port}")
        assert refused.value.response.status_code == 401


async def test_an_origin_that_goes_takes_the_client_along() -> None:
    async def go(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with serve(go, LOOPBACK, 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with (
            proxy(served(port)) as running,
            connect(f"ws://localhost:{running.port}") as client,
        ):
            with pytest.raises(ConnectionClosed):
                await client.recv()


async def test_a_client_that_goes_takes_the_origin_along() -> None:
    gone = asyncio.Event()

    async def listen(connection: ServerConnection) -> None:
        await connection.wait_closed()
        gone.set()

    async with serve(listen, LOOPBACK, 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with proxy(served(port)) as running:
            client = await connect(f"ws://localhost:{running.port}")
            client.transport.abort()
            await asyncio.wait_for(gone.wait(), 5)


async def test_a_slow_reader_holds_the_sender_back() -> None:
    sent = 0

    async def flood(connection: ServerConnection) -> None:
        nonlocal sent
        while sent < 1000:
            await connection.send(b"x" * 100_000)
            sent += 1

    async with serve(flood, LOOPBACK, 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with (
            proxy(served(port)) as running,
            connect(f"ws://localhost:{running.port}", max_queue=1) as client,
        ):
            await until(lambda: running.protocols[0]._client_blocked)
            assert running.protocols[0]._transport.get_write_buffer_size() < 1 << 20
            for _ in range(1000):
                assert len(await client.recv()) == 100_000


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"), 400),
        (("Upgrade: websocket", "Connection: Upgrade", KEY), 400),
        (("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 8", KEY), 426),
        ((*ASKING, "Upgrade: websocket"), 400),
        ((*ASKING, KEY), 400),
        ((*ASKING[:3], "Sec-WebSocket-Key: short"), 400),
        (("Upgrade: websocket, h2c", *ASKING[1:]), 400),
    ],
    ids=["no-key", "no-version", "version-8", "two-upgrades", "two-keys", "bad-key", "list"],
)
async def test_a_malformed_handshake_is_refused(fields: tuple[str, ...], status: int) -> None:
    async with origin() as upstream, proxy(served(upstream.port)) as running:
        reply = await running.ask(request("GET", "/", *fields))
        assert (reply.status, reply.first("ngrok-error-code")) == (status, "ERR_NGROK_3206")
        assert upstream.received == []


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + ACCEPT[:-4]
        + b"\r\n\r\n",
        b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\n" + ACCEPT + b"\r\n",
        b"HTTP/1.1 101 S\r\nUpgrade: other\r\nConnection: Upgrade\r\n" + ACCEPT + b"\r\n",
        b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + 2 * ACCEPT + b"\r\n",
    ],
    ids=["200", "no-accept", "wrong-accept", "no-connection", "other-protocol", "two-accepts"],
)
async def test_a_wrong_answer_to_a_handshake_is_502_and_no_tunnel(answer: bytes) -> None:
    async with origin(answer) as upstream, proxy(served(upstream.port)) as running:
        reply = await running.ask(request("GET", "/", *ASKING))
        assert reply.status == 502


async def test_a_refusal_of_the_origin_is_passed_on() -> None:
    answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
    async with origin(answer) as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        for _ in range(2):
            client.send(request("GET", "/", *ASKING))
            reply = await client.reply()
            assert (reply.status, reply.body) == (403, b"no")
        assert upstream.connections == 1
        client.close()


async def test_bytes_sent_right_behind_the_handshake_go_through_the_tunnel() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + ACCEPT
        writer.write(head + b"\r\n\x81\x02hi")
        writer.write(b"\x82\x08" + await reader.readexactly(8))
        await reader.read()

    async with origin(script=script) as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        frame = b"\x81\x82\0\0\0\0yo"
        client.send(request("GET", "/", *ASKING) + frame)
        assert (await client.reply()).status == 101
        assert await client.reader.readexactly(14) == b"\x81\x02hi\x82\x08" + frame
        client.close()
        await until(lambda: upstream.open == 0)
