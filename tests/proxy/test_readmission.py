from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from policy.effect import Effect, Now, ReadBody
from policy.engine import GO_ON, Decision
from policy.phase import Phase
from proxy.endpoint import ServedEndpoint
from proxy.endpoint_table import EndpointTable
from proxy.readmission import readmit_streams
from tests.proxy.rig import Client, Origin, Proxy, origin, proxy, request, served, until
from tests.proxy.test_websocket import Ends, closing, opened
from tests.proxy.test_websocket_frames import BINARY, TEXT, frame

DENY = "on_http_request: [{actions: [{type: deny}]}]"
WITH_KEY = """
on_http_request:
  - expressions: ["!('letmein' in req.headers['x-key'])"]
    actions: [{type: deny}]
  - actions:
      - {type: remove-headers, config: {headers: [x-key]}}
      - {type: url-rewrite, config: {from: /room, to: /changed}}
"""
NO_ADDRESS = "on_tcp_connect: [{actions: [{type: restrict-ips, config: {allow: [192.0.2.1]}}]}]"
FAILS = """
on_http_request:
  - expressions: ["1 / size(req.headers['x-none']) > 0"]
    actions: [{type: set-vars, config: {vars: [{a: 1}]}}]
"""
ROOM_7 = """
on_http_request:
  - expressions: ["req.url.query_params['id'][0] != '7'"]
    actions: [{type: deny}]
"""
NO_LONGER_ADMITTED = "stream-no-longer-admitted"
EVENTS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"9\r\ndata: x\n\n\r\n"
)


def configure(running: Proxy, *endpoints: ServedEndpoint) -> None:
    """Replace the endpoints by others, as a reload does."""
    catch_all = next((each for each in endpoints if each.endpoint.host == "*"), None)
    table = EndpointTable(
        (each for each in endpoints if each is not catch_all), catch_all=catch_all
    )
    running.service.runtime = replace(running.service.runtime, endpoints=table)


async def reload(running: Proxy, rules: str) -> None:
    configure(running, served(1, rules))
    await readmit_streams(running.service)


async def is_open(ends: Ends) -> bool:
    ends.client.send(frame(TEXT, b"?"))
    return await ends.upstream.reader.readexactly(7) == frame(TEXT, b"?")


@pytest.mark.parametrize("rules", [DENY, WITH_KEY, NO_ADDRESS], ids=["denied", "no-key", "address"])
async def test_a_websocket_that_is_no_longer_admitted_is_closed_with_1008(rules: str) -> None:
    async with opened() as ends:
        await reload(ends.proxy, rules)
        assert closing(await ends.at_client()) == 1008
        assert closing(await ends.at_upstream(), masked=True) == 1008
        assert (await ends.proxy.completion()).reason == NO_LONGER_ADMITTED
        assert len(ends.proxy.service.streams) == 0


@pytest.mark.parametrize("rules", ["", ROOM_7], ids=["no-rules", "rule-about-the-query"])
async def test_a_websocket_that_is_still_admitted_goes_on(rules: str) -> None:
    async with opened() as ends:
        await reload(ends.proxy, rules)
        assert await is_open(ends)


async def test_a_request_is_decided_again_as_the_client_sent_it() -> None:
    async with opened(WITH_KEY, "X-Key: letmein") as ends:
        for _ in range(2):
            await reload(ends.proxy, WITH_KEY + ROOM_7.replace("on_http_request:\n", ""))
            assert await is_open(ends)


async def test_a_websocket_whose_endpoint_has_gone_is_closed() -> None:
    async with opened() as ends:
        configure(ends.proxy, served(1, host="other.test"))
        await readmit_streams(ends.proxy.service)
        assert closing(await ends.at_client()) == 1008


async def test_a_websocket_whose_host_is_another_endpoint_now_is_closed() -> None:
    async with opened() as ends:
        configure(ends.proxy, served(1, host="a.test"))
        await readmit_streams(ends.proxy.service)
        assert closing(await ends.at_client()) == 1008


async def test_an_expression_that_fails_now_admits_nobody() -> None:
    async with opened() as ends:
        await reload(ends.proxy, FAILS)
        assert closing(await ends.at_client()) == 1008


async def test_a_close_waits_for_the_end_of_the_frame_that_is_on_its_way() -> None:
    answer = frame(BINARY, b"\xfe" * 1000, masked=False)
    async with opened() as ends:
        ends.upstream.send(answer[:500])
        await ends.client.reader.readexactly(500)
        await reload(ends.proxy, DENY)
        ends.upstream.send(answer[500:] + answer)
        rest = await ends.at_client()
        assert (rest[:-4], closing(rest[-4:])) == (answer[500:], 1008)


async def test_a_newer_configuration_takes_over() -> None:
    async with opened() as ends:
        configure(ends.proxy, served(1, DENY))
        older = asyncio.create_task(readmit_streams(ends.proxy.service))
        configure(ends.proxy, served(1))
        await older
        assert await is_open(ends)


async def test_all_streams_can_be_closed_at_once() -> None:
    async with opened() as ends:
        ends.proxy.service.streams.close(1001, "going-away")
        assert closing(await ends.at_client()) == 1001
        assert (await ends.proxy.completion()).reason == "going-away"


async def test_a_stop_sends_websockets_away() -> None:
    async with opened() as ends:
        ends.proxy.service.streams.send_away()
        assert closing(await ends.at_client()) == 1001
        assert (await ends.proxy.completion()).reason == "server-stopping"


@asynccontextmanager
async def listening(rules: str = "", *fields: str, body: bytes = b"") -> AsyncIterator[Listening]:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(EVENTS)
        await reader.read()

    async with origin(script=script) as upstream, proxy(served(upstream.port, rules)) as running:
        client = await running.client()
        client.send(request("POST" if body else "GET", "/?id=7", *fields, body=body))
        await client.reader.readuntil(b"data: x\n\n\r\n")
        yield running, client, upstream
        client.close()


Listening = tuple[Proxy, Client, Origin]
ACCEPT_EVENTS = "Accept: text/event-stream"


async def test_an_event_stream_that_is_no_longer_admitted_is_cut_off() -> None:
    async with listening() as (running, client, upstream):
        await reload(running, DENY)
        assert await client.rest() == b""
        await until(lambda: upstream.open == 0)
        record = await running.completion()
        assert (record.status, record.reason) == (200, NO_LONGER_ADMITTED)


async def test_a_stop_leaves_event_streams_to_end_by_themselves() -> None:
    async with listening("", ACCEPT_EVENTS) as (running, client, _):
        running.service.streams.send_away()
        assert len(running.service.streams) == 1
        assert not client.reader.at_eof()


async def test_an_event_stream_that_is_still_admitted_goes_on() -> None:
    async with listening(WITH_KEY, "X-Key: letmein", ACCEPT_EVENTS) as (running, _, upstream):
        await reload(running, WITH_KEY)
        assert len(running.service.streams) == 1
        assert upstream.open == 1


@pytest.mark.parametrize(("body", "admitted"), [(b"", True), (b"x" * 10, False)])
async def test_a_rule_that_reads_a_body_admits_no_request_whose_body_is_gone(
    body: bytes,
    admitted: bool,  # noqa: FBT001 - a parameter
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def reading(*_: object) -> Generator[Effect, bytes | None, Decision]:
        yield ReadBody(limit_bytes=100)
        yield Now()
        return GO_ON[Phase.ON_HTTP_REQUEST]

    monkeypatch.setattr("proxy.readmission.run_phase", reading)
    async with listening(body=body) as (running, _, _):
        await reload(running, ROOM_7.replace("7", "8"))
        assert len(running.service.streams) == admitted


async def test_a_fault_of_ours_admits_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    faults: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: faults.append(context["exception"]))
    monkeypatch.setattr("proxy.readmission.run_phase", broken)
    async with opened() as ends:
        await reload(ends.proxy, ROOM_7)
        assert closing(await ends.at_client()) == 1008
    assert [type(each) for each in faults] == [ZeroDivisionError]


async def test_a_stream_that_has_ended_is_forgotten() -> None:
    async with origin(EVENTS + b"0\r\n\r\n") as upstream, proxy(served(upstream.port)) as running:
        assert (await running.ask(request("GET", "/"))).status == 200
        assert len(running.service.streams) == 0
