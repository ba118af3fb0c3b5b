from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus

from proxy.limits import Limits
from proxy.websocket_mask import unmasked
from tests.proxy.rig import LOOPBACK, Client, Proxy, origin, proxy, request, served, until
from tests.proxy.test_websocket_frames import BINARY, CLOSE, PING, TEXT, code, frame

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
    """T-WS-7."""

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
    """T-WS-7."""
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
    """T-WS-6."""
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
    """T-WS-2."""
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
    """T-WS-2."""
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


@dataclass
class Ends:
    """A client and an upstream with an open WebSocket between them, both raw."""

    proxy: Proxy
    client: Client
    upstream: Client

    async def at_client(self) -> bytes:
        return await self.client.rest()

    async def at_upstream(self) -> bytes:
        return await self.upstream.rest()


@asynccontextmanager
async def opened(
    rules: str = "", *fields: str, limits: Limits | None = None
) -> AsyncIterator[Ends]:
    accepted: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        writer.write(ACCEPT + b"\r\n")
        accepted.set_result(Client(reader, writer))
        await over.wait()

    async with (
        origin(script=script) as server,
        proxy(served(server.port, rules), limits=limits) as running,
    ):
        client = await running.client()
        client.send(request("GET", "/room?id=7", *ASKING, *fields))
        assert (await client.reply()).status == 101
        yield Ends(running, client, await accepted)
        client.close()
        over.set()


def closing(data: bytes, *, masked: bool = False) -> int:
    """Return the status code of a Close that is all there is."""
    size = 8 if masked else 4
    assert (len(data), data[0] & 0x0F) == (size, CLOSE)
    payload = bytes(unmasked(data[6:], data[2:6])) if masked else data[2:]
    return int.from_bytes(payload, "big")


FROM_CLIENT = {
    "not-masked": (frame(TEXT, b"x", masked=False), 1002, "websocket-frame-not-masked"),
    "reserved-bit": (frame(TEXT, reserved=4), 1002, "websocket-reserved-bits"),
    "opcode": (frame(3), 1002, "websocket-opcode-unknown"),
    "long-ping": (frame(PING, b"x" * 126), 1002, "websocket-control-frame-malformed"),
    "not-utf-8": (frame(TEXT, b"\xff"), 1007, "websocket-text-not-utf-8"),
    "four-gigabytes": (b"\x82\xff\0\0\0\x01\0\0\0\0", 1009, "websocket-message-too-big"),
    "close-code": (frame(CLOSE, code(1005)), 1002, "websocket-close-code-invalid"),
}


@pytest.mark.parametrize(("sent", "status", "reason"), FROM_CLIENT.values(), ids=FROM_CLIENT)
async def test_a_client_that_breaks_the_rules_is_closed(
    sent: bytes, status: int, reason: str
) -> None:
    """T-WS-3."""
    async with opened() as ends:
        ends.client.send(sent)
        assert closing(await ends.at_client()) == status
        assert closing(await ends.at_upstream(), masked=True) == status
        record = await ends.proxy.completion()
        assert (record.status, record.reason, record.upgraded) == (101, reason, True)


FROM_UPSTREAM = {
    "masked": (frame(TEXT, b"x"), 1002, "upstream-websocket-frame-masked"),
    "reserved-bit": (
        frame(TEXT, masked=False, reserved=4), 1002, "upstream-websocket-reserved-bits",
    ),
    "not-utf-8": (
        frame(TEXT, b"\xff", masked=False), 1007, "upstream-websocket-text-not-utf-8",
    ),
    "four-gigabytes": (
        b"\x82\x7f\0\0\0\x01\0\0\0\0", 1009, "upstream-websocket-message-too-big",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sent", "status", "reason"), FROM_UPSTREAM.values(), ids=FROM_UPSTREAM)
async def test_an_upstream_that_breaks_the_rules_is_closed(
    sent: bytes, status: int, reason: str
) -> None:
    async with opened() as ends:
        ends.upstream.send(sent)
        assert closing(await ends.at_client()) == status
        assert closing(await ends.at_upstream(), masked=True) == status
        assert (await ends.proxy.completion()).reason == reason


async def test_a_dribbled_giant_is_refused_at_its_head_and_nothing_of_it_is_kept() -> None:
    """T-AH-11."""
    async with opened() as ends:
        for byte in b"\x82\xff\0\0\0\x01\0\0\0\0":
            ends.client.send(bytes([byte]))
            await ends.client.writer.drain()
        assert closing(await ends.at_client()) == 1009


async def test_text_that_breaks_inside_a_frame_cuts_the_upstream_off_without_a_close() -> None:
    whole = frame(TEXT, b"a" * 100_000 + b"\xff" * 100_000)
    async with opened() as ends:
        ends.client.send(whole[:50_000])
        got = await ends.upstream.reader.readexactly(50_000)
        ends.client.send(whole[50_000:])
        assert closing(await ends.at_client()) == 1007
        assert whole.startswith(got + await ends.at_upstream())


async def test_a_close_of_ours_waits_for_the_end_of_the_frame_that_is_on_its_way() -> None:
    answer = frame(BINARY, b"\xfe" * 1000, masked=False)
    async with opened() as ends:
        ends.upstream.send(answer[:500])
        assert await ends.client.reader.readexactly(500) == answer[:500]
        ends.client.send(frame(3))
        assert closing(await ends.upstream.reader.readexactly(8), masked=True) == 1002
        assert ends.proxy.completions == []
        ends.upstream.send(answer[500:] + answer)
        rest = await ends.at_client()
        assert rest[:-4] == answer[500:]
        assert closing(rest[-4:]) == 1002


async def test_an_end_that_does_not_come_has_a_deadline() -> None:
    answer = frame(BINARY, b"\xfe" * 1000, masked=False)
    async with opened(limits=Limits(websocket_close_timeout_s=0.05)) as ends:
        ends.upstream.send(answer[:500])
        await ends.client.reader.readexactly(500)
        ends.client.send(frame(3))
        assert await ends.at_client() == b""
        assert (await ends.proxy.completion()).reason == "websocket-opcode-unknown"


async def test_a_close_that_is_not_answered_has_a_deadline() -> None:
    async with opened(limits=Limits(websocket_close_timeout_s=0.05)) as ends:
        ends.client.send(frame(CLOSE, code(1000)))
        assert await ends.at_client() == b""
        assert closing(await ends.at_upstream(), masked=True) == 1000
        assert (await ends.proxy.completion()).reason == "websocket-close-timeout"


async def test_closes_of_both_sides_end_both_connections() -> None:
    async with opened() as ends:
        ends.client.send(frame(CLOSE, code(1000)))
        assert closing(await ends.upstream.reader.readexactly(8), masked=True) == 1000
        ends.upstream.send(frame(CLOSE, code(1000), masked=False))
        assert closing(await ends.at_client()) == 1000
        assert await ends.at_upstream() == b""
        assert (await ends.proxy.completion()).reason is None


async def test_a_client_that_ends_without_a_close_takes_the_upstream_along() -> None:
    async with opened(limits=Limits(websocket_close_timeout_s=0.05)) as ends:
        ends.client.send(frame(TEXT, b"last words"))
        ends.client.writer.write_eof()
        assert await ends.at_upstream() == frame(TEXT, b"last words")
        assert await ends.at_client() == b""


async def test_extensions_are_not_offered_and_not_accepted() -> None:
    """T-WS-5."""
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
    head = b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + ACCEPT
    agreed = head + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    async with origin(agreed) as upstream, proxy(served(upstream.port)) as running:
        assert (await running.ask(request("GET", "/", *ASKING, offer))).status == 502
        assert upstream.received[0].all("sec-websocket-extensions") == []
        record = await running.completion()
        assert record.reason == "upstream-websocket-extension-unasked"


async def test_bytes_are_counted_both_ways() -> None:
    async with opened() as ends:
        ends.client.send(frame(TEXT, b"four"))
        await ends.upstream.reader.readexactly(10)
        ends.upstream.send(frame(TEXT, b"fourteen bytes", masked=False))
        await ends.client.reader.readexactly(16)
        ends.client.writer.transport.abort()
        record = await ends.proxy.completion()
        assert (record.request_body_bytes, record.response_body_bytes) == (10, 16)
