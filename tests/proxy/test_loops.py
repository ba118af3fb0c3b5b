"""T-SS-5: requests that come back to the proxy that sent them."""

from __future__ import annotations

import asyncio

import pytest

from policy.effect import Fetch, Fetched
from proxy.fetcher import Fetcher
from proxy.http1.request_head import MAX_TIMES_PASSED
from tests.proxy.rig import LOOPBACK, Origin, Proxy, Received, origin, proxy, request, served

ADD = "on_http_request: [{actions: [{type: add-headers, config: {headers: {x-a: b}}}]}]"
HIDE = "on_http_request: [{actions: [{type: remove-headers, config: {headers: [x-a]}}]}]"


def leads_back_to(running: Proxy) -> object:
    async def answer(received: Received) -> bytes:
        reader, writer = await asyncio.open_connection(LOOPBACK, running.port)
        writer.write(received.head)
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        status = head.split(b"\r\n", 1)[0]
        return status + b"\r\nContent-Length: 0\r\n\r\n"

    return answer


@pytest.mark.parametrize("rules", ["", ADD, HIDE], ids=["passed whole", "written anew", "removed"])
@pytest.mark.parametrize("lines", [(), ("Connection: cdn-loop",)], ids=["plain", "to be dropped"])
async def test_an_upstream_that_leads_back_here_ends_with_508(
    rules: str, lines: tuple[str, ...]
) -> None:
    async with origin() as upstream, proxy(served(upstream.port, rules)) as running:
        upstream.answer = leads_back_to(running)  # type: ignore[assignment]
        reply = await running.ask(request("GET", "/", *lines))
        assert reply.status == 508
        assert len(upstream.received) == MAX_TIMES_PASSED
        assert running.completions[0].reason == "forwarding-loop"


async def passed_on(upstream: Origin, *lines: str) -> list[str]:
    async with proxy(served(upstream.port)) as running:
        assert (await running.ask(request("GET", "/", *lines))).status == 200
    return upstream.received[-1].all("cdn-loop")


async def test_what_others_wrote_passes_and_our_name_is_added() -> None:
    async with origin() as upstream:
        assert await passed_on(upstream) == ["penstock"]
        assert await passed_on(upstream, "CDN-Loop: cdn.example; v=1") == [
            "cdn.example; v=1", "penstock",
        ]  # fmt: skip
        assert await passed_on(upstream, "CDN_Loop: penstock") == ["penstock"]


async def test_a_chain_of_a_few_gates_is_no_loop() -> None:
    async with origin() as upstream, proxy(served(upstream.port)) as last:
        async with proxy(served(last.port)) as middle, proxy(served(middle.port)) as first:
            assert (await first.ask(request())).status == 200
        assert upstream.received[0].all("cdn-loop") == ["penstock"] * 3


async def test_our_own_calls_carry_our_name_and_count_on_from_a_request() -> None:
    fetcher = Fetcher()
    async with origin() as target:
        for headers, sent in (((), "penstock"), ((("CDN-Loop", "penstock, penstock"),), None)):
            answer = await fetcher.fetch(
                Fetch(
                    url=f"http://{LOOPBACK}:{target.port}/",
                    headers=headers,
                    limit_bytes=100,
                    timeout_s=5.0,
                    is_host_trusted=True,
                )
            )
            assert isinstance(answer, Fetched)
            assert target.received[-1].all("cdn-loop") == [sent or "penstock, penstock"]
    await fetcher.close()
