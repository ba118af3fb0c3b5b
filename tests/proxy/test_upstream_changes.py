"""What changes under a running proxy: the machine's clock, the upstream's address, its life."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from proxy.completion import Completion
from proxy.completion_event import render_event
from proxy.limits import Limits
from tests.proxy.rig import LOOPBACK, Origin, Proxy, Received, origin, proxy, served, until

GET = b"GET / HTTP/1.1\r\nHost: app.test\r\n\r\n"
NAME = "upstream.test"


def named(text: bytes) -> Callable[[Received], bytes]:
    return lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)


def resolve(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Let one name lead where the test says; counts nothing, and keeps nothing."""
    addresses: dict[str, str] = {}
    loop = asyncio.get_running_loop()
    original: Callable[..., Awaitable[Any]] = loop.getaddrinfo

    async def lookup(host: Any, port: Any, **others: Any) -> Any:
        return await original(addresses.get(host, host), port, **others)

    monkeypatch.setattr(loop, "getaddrinfo", lookup)
    return addresses


def by_name(port: int) -> Any:
    endpoint = served(port)
    assert endpoint.upstream is not None
    return replace(endpoint, upstream=replace(endpoint.upstream, host=NAME))


async def listening_at(address: str, port: int, played: Origin) -> asyncio.AbstractServer:
    return await asyncio.start_server(played.accept, address, port)


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(Limits(upstream_keep_alive_timeout_s=0.05), id="idle connections end"),
        pytest.param(Limits(upstream_max_age_s=0.05), id="busy connections end by age"),
    ],
)
async def test_a_changed_address_of_the_upstream_is_used(
    monkeypatch: pytest.MonkeyPatch, limits: Limits
) -> None:
    addresses = resolve(monkeypatch)
    addresses[NAME] = LOOPBACK
    async with origin(named(b"old")) as old:
        elsewhere = await listening_at("127.0.0.2", old.port, Origin(answer=named(b"new")))
        async with proxy(by_name(old.port), limits=limits) as running:
            client = await running.client()
            client.send(GET)
            assert (await client.reply()).body == b"old"
            addresses[NAME] = "127.0.0.2"

            async def answered() -> bytes:
                client.send(GET)
                return (await client.reply()).body

            if limits.upstream_max_age_s < 1:
                async with asyncio.timeout(10):
                    while await answered() != b"new":
                        pass
            else:
                await until(lambda: old.open == 0)
                assert await answered() == b"new"
            client.close()
        elsewhere.close()


async def ask_status(running: Proxy) -> int:
    return (await running.ask(GET)).status


async def test_an_upstream_that_comes_and_goes_is_used_whenever_it_is_there() -> None:
    """No request is held against it: what it does now counts, not what it did."""
    with socket.create_server((LOOPBACK, 0)) as free:
        port = free.getsockname()[1]
    async with proxy(served(port)) as running:
        for _ in range(3):
            assert await ask_status(running) == 502
            played = Origin()
            server = await listening_at(LOOPBACK, port, played)
            assert [await ask_status(running) for _ in range(3)] == [200, 200, 200]
            server.close()
            for task in tuple(played.tasks):
                task.cancel()
            await asyncio.gather(*played.tasks, return_exceptions=True)
            await until(lambda: running.service.pool.open == 0)
        assert running.completions[0].reason == "upstream-unreachable"


@pytest.mark.parametrize("jump_s", [-86_400, 86_400, -1e9], ids=["back", "ahead", "far back"])
async def test_a_jump_of_the_clock_times_nobody_out(jump_s: float) -> None:
    """Deadlines are kept by a clock that never jumps."""
    offset_ns = 0
    async with origin() as behind, proxy(served(behind.port)) as running:
        running.service.now_ns = lambda: time.time_ns() + offset_ns
        client = await running.client()
        client.send(GET)
        assert (await client.reply()).status == 200
        client.send(GET[:20])
        offset_ns = int(jump_s * 1e9)
        await asyncio.sleep(0)
        client.send(GET[20:])
        assert (await client.reply()).status == 200
        client.close()
        await until(lambda: len(running.completions) == 2)


def test_a_request_during_which_the_clock_was_set_back_took_no_time() -> None:
    from tests.proxy.test_event_writer import COMPLETION

    completion = Completion(
        connection=COMPLETION.connection, started_ns=10**18, ended_ns=10**18 - 10**9
    )
    assert b'"duration_ms":0.000' in render_event(completion, "ev_1")
