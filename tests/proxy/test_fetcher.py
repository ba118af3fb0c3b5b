"""The client for calls of our own, against a server that misbehaves (T-SS-1 to T-SS-4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from policy.effect import Fetch, Fetched, FetchFailed
from proxy.fetcher import Fetcher
from tests.proxy.serving import LOOPBACK


@asynccontextmanager
async def server(answer: bytes, *, hangs: bool = False) -> AsyncIterator[tuple[str, list[bytes]]]:
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        if hangs:
            await reader.read()
        writer.close()

    listening = await asyncio.start_server(serve, LOOPBACK, 0)
    try:
        yield f"http://{LOOPBACK}:{listening.sockets[0].getsockname()[1]}/x", heads
    finally:
        listening.close()


async def fetch(url: str, **changes: object) -> Fetched | FetchFailed:
    fetcher = Fetcher()
    values: dict[str, object] = {
        "limit_bytes": 100, "timeout_s": 5.0, "is_host_trusted": True, **changes,
    }  # fmt: skip
    try:
        return await fetcher.fetch(Fetch(url=url, **values))  # type: ignore[arg-type]
    finally:
        await fetcher.close()


def answer(body: bytes, *lines: str, status: int = 200) -> bytes:
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close", *lines]
    return "\r\n".join([*head, "", ""]).encode() + body


async def test_an_answer_comes_back_whole() -> None:
    async with server(answer(b"hello", "Set-Cookie: a=b", status=404)) as (url, heads):
        fetched = await fetch(url, headers=(("Accept", "a/b"),))
        assert isinstance(fetched, Fetched)
        assert (fetched.status_code, fetched.body) == (404, b"hello")
        assert b"Accept: a/b\r\n" in heads[0]
        assert b"Accept-Encoding: identity\r\n" in heads[0]


async def test_a_redirect_is_an_answer() -> None:
    """T-AH-10: T-SS-3."""
    async with server(answer(b"", "Location: http://127.0.0.1:1/", status=302)) as (url, heads):
        fetched = await fetch(url)
        assert isinstance(fetched, Fetched)
        assert (fetched.status_code, len(heads)) == (302, 1)


BAD: dict[str, tuple[bytes, bool, str]] = {
    "too large": (answer(b"x" * 101), False, "answer-too-large"),
    "compressed": (answer(b"x", "Content-Encoding: gzip"), False, "answer-encoded"),
    "dripping": (b"HTTP/1.1 200 X\r\nContent-Length: 50\r\n\r\nx", True, "timed-out"),
    "cut short": (b"HTTP/1.1 200 X\r\nContent-Length: 50\r\n\r\nx", False, "answer-broken"),
    "silent": (b"", True, "timed-out"),
    "not HTTP": (b"SSH-2.0-x\r\n\r\n", False, "answer-broken"),
    "closed": (b"", False, "not-connected"),
}


@pytest.mark.parametrize(("data", "hangs", "reason"), BAD.values(), ids=BAD)
async def test_a_bad_answer_is_a_reason(data: bytes, hangs: bool, reason: str) -> None:  # noqa: FBT001
    """T-SS-4."""
    async with server(data, hangs=hangs) as (url, _):
        assert await fetch(url, timeout_s=0.3 if hangs else 5.0) == FetchFailed(reason=reason)


REFUSED = {
    "a file": ("file:///etc/passwd", "url-refused"),
    "gopher": ("gopher://127.0.0.1/", "url-refused"),
    "http to a name": ("http://localhost:1/", "url-refused"),
    "http to an address": ("http://93.184.216.34/", "url-refused"),
    "a user": ("https://u@example.com/", "url-refused"),
    "no host": ("https:///x", "url-refused"),
    "a broken host": ("https://[x/", "url-refused"),
    "metadata": ("https://169.254.169.254/", "address-blocked"),
    "nobody there": ("http://127.0.0.1:1/", "not-connected"),
}


@pytest.mark.parametrize(("url", "reason"), REFUSED.values(), ids=REFUSED)
async def test_where_no_call_goes(url: str, reason: str) -> None:
    """T-SS-1, T-SS-2."""
    assert await fetch(url) == FetchFailed(reason=reason)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"])
async def test_a_host_from_a_request_leads_to_no_inside_address(host: str) -> None:
    """T-SS-1: also where only the name's resolution leads inside."""
    async with server(answer(b"")) as (url, heads):
        port = url.rpartition(":")[2]
        found = await fetch(f"https://{host}:{port}", is_host_trusted=False)
        assert found == FetchFailed(reason="address-blocked")
        assert heads == []


async def test_what_is_no_tls_is_told() -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Plain\r\n\r\n" + b" " * 100)
        writer.close()

    listening = await asyncio.start_server(serve, LOOPBACK, 0)
    port = listening.sockets[0].getsockname()[1]
    assert await fetch(f"https://{LOOPBACK}:{port}/") == FetchFailed(reason="tls-failed")
    listening.close()


async def test_connections_are_kept_for_the_next_call() -> None:
    fetcher = Fetcher()
    async with server(answer(b"hello")) as (url, heads):
        for _ in range(2):
            asked = Fetch(url=url, limit_bytes=100, timeout_s=5.0, is_host_trusted=True)
            assert isinstance(await fetcher.fetch(asked), Fetched)
        assert len(heads) == 2
    await fetcher.close()
