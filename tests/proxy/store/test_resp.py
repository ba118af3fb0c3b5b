"""The protocol of Redis: what a server says is read exactly, or the connection ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.store.resp import (
    Garbled,
    Incomplete,
    RespConnection,
    ServerError,
    TooSlow,
    command,
    parsed,
)
from tests.proxy.serving import LOOPBACK

REPLIES: list[tuple[bytes, Any]] = [
    (b"+OK\r\n", b"OK"),
    (b":-12\r\n", -12),
    (b"$3\r\na\r\n\r\n", b"a\r\n"),
    (b"$0\r\n\r\n", b""),
    (b"$-1\r\n", None),
    (b"*-1\r\n", None),
    (b"*0\r\n", []),
    (b"*3\r\n:1\r\n*1\r\n$1\r\nx\r\n$-1\r\n", [1, [b"x"], None]),
]
GARBLED = [
    b"HTTP/1.1 400 Bad Request\r\n",
    b"\r\n",
    b":1x\r\n",
    b":\r\n",
    b"$9999999999\r\n",
    b"$1\r\nab\r\n",
    b"*1\r\n" * 6,
    b":" + b"1" * 30 + b"\r\n",
]


@pytest.mark.parametrize(("data", "reply"), REPLIES)
def test_an_answer_is_read_whole(data: bytes, reply: object) -> None:
    assert parsed(bytearray(data + b"+next"), 0) == (reply, len(data))


@pytest.mark.parametrize("data", [each for each, _ in REPLIES])
def test_a_part_of_an_answer_is_incomplete(data: bytes) -> None:
    for end in range(len(data)):
        with pytest.raises(Incomplete):
            parsed(bytearray(data[:end]), 0)


@pytest.mark.parametrize("data", GARBLED)
def test_anything_else_is_garbled(data: bytes) -> None:
    with pytest.raises(Garbled):
        parsed(bytearray(data), 0)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_refused(data: bytes) -> None:
    try:
        _, end = parsed(bytearray(data), 0)
    except (Garbled, Incomplete):
        return
    assert 0 < end <= len(data)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (b"-WRONGPASS invalid username-password pair", "WRONGPASS"),
        (b"-ERR unknown command 'hunter2'", "ERR"),
        (b"-hunter2 is no password", "ERR"),
    ],
)
def test_of_an_error_only_its_code_is_kept(line: bytes, word: str) -> None:
    error, _ = parsed(bytearray(line + b"\r\n"), 0)
    assert isinstance(error, ServerError)
    assert (error.word, str(error)) == (word, word)


def test_a_command_is_an_array_of_texts() -> None:
    assert command((b"GET", b"a\r\n")) == b"*2\r\n$3\r\nGET\r\n$3\r\na\r\n\r\n"


@asynccontextmanager
async def connected(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any], *, timeout_s: float = 5.0
) -> AsyncIterator[RespConnection]:
    async with await asyncio.start_server(serve, LOOPBACK, 0) as server:
        port = server.sockets[0].getsockname()[1]
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: RespConnection(timeout_s=timeout_s), LOOPBACK, port
        )
        try:
            yield connection
        finally:
            connection.close()


def saying(*pieces: bytes) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        await reader.read()
        writer.close()

    return serve


async def test_answers_come_in_the_order_of_the_commands() -> None:
    async with connected(saying(b":1\r", b"\n:2\r\n$1", b"\r\nx\r\n")) as connection:
        answers = [connection.send(b"A"), connection.send(b"B"), connection.send(b"C")]
        assert await asyncio.gather(*answers) == [1, 2, b"x"]


async def test_an_answer_that_nobody_waits_for_any_more_is_skipped() -> None:
    async with connected(saying(b":1\r\n:2\r\n")) as connection:
        connection.send(b"A").cancel()
        assert await connection.send(b"B") == 2


async def test_a_refused_command_harms_no_other() -> None:
    async with connected(saying(b"-OOM full\r\n:2\r\n")) as connection:
        first, second = connection.send(b"A"), connection.send(b"B")
        with pytest.raises(ServerError, match="OOM"):
            await first
        assert await second == 2


async def test_garbled_answers_end_the_connection() -> None:
    async with connected(saying(b"HTTP/1.1 400\r\n")) as connection:
        answers = await asyncio.gather(
            connection.send(b"A"), connection.send(b"B"), return_exceptions=True
        )
        assert [type(each) for each in answers] == [Garbled, Garbled]
        assert not connection.is_open
        with pytest.raises(Garbled):
            await connection.send(b"C")


async def test_an_answer_to_nothing_ends_the_connection() -> None:
    async with connected(saying(b":1\r\n:2\r\n")) as connection:
        assert await connection.send(b"A") == 1
        with pytest.raises(Garbled):
            await connection.send(b"B")


async def test_an_answer_that_is_too_long_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("proxy.store.resp.MAX_REPLY_BYTES", 1000)
    async with connected(saying(b"+" + b"x" * 2000)) as connection:
        with pytest.raises(Garbled):
            await connection.send(b"A")


async def test_silence_ends_the_connection() -> None:
    async with connected(saying(), timeout_s=0.05) as connection:
        with pytest.raises(TooSlow):
            await connection.send(b"A")


async def test_a_server_that_answers_in_time_is_waited_for_again() -> None:
    async with connected(saying(b":1\r\n"), timeout_s=0.1) as connection:
        assert await connection.send(b"A") == 1
        await asyncio.sleep(0.15)
        with pytest.raises(TooSlow):
            await connection.send(b"B")


async def test_an_end_is_told_to_all_who_wait() -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    async with connected(leave) as connection:
        answers = await asyncio.gather(
            connection.send(b"A"), connection.send(b"B"), return_exceptions=True
        )
        assert all(isinstance(each, ConnectionError) for each in answers)
