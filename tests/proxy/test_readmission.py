from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from policy.action import Respond
from policy.effect import Document, Effect, Fetch, Fetched, GetDocument, Now, ReadBody
from policy.engine import GO_ON, Decision
from policy.exchange import Exchange
from policy.phase import Phase
from policy.store import Kind, StoreDelete, StoreGet, StorePut, StoreTake
from proxy.effects import answer_effect
from proxy.endpoint import ServedEndpoint
from proxy.endpoint_table import EndpointTable
from proxy.readmission import readmit_streams
from tests.proxy.rig import Client, Origin, Proxy, origin, proxy, request, served, until
from tests.proxy.test_websocket import Ends, closing, opened
from tests.proxy.test_websocket_frames import BINARY, TEXT, frame
from tests.tokens import RS256, claims_of, key_set, settings

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


@pytest.mark.sources_only
async def test_a_stream_that_has_ended_is_forgotten() -> None:
    async with origin(EVENTS + b"0\r\n\r\n") as upstream, proxy(served(upstream.port)) as running:
        assert (await running.ask(request("GET", "/"))).status == 200
        assert len(running.service.streams) == 0


class Admitting:
    """A policy that lets everything through until the times it is given, one after another.

    A time is in seconds from when it is asked; None has no end, DENIED lets nothing through.
    """

    def __init__(self, *lasts_s: float | str | None) -> None:
        self.lasts_s = [*lasts_s]
        self.asked: list[Exchange] = []

    def run(
        self, _policy: object, phase: Phase, exchange: Exchange, *_: object
    ) -> Generator[Effect, int, Decision]:
        self.asked.append(exchange)
        lasts_s = self.lasts_s.pop(0) if len(self.lasts_s) > 1 else self.lasts_s[0]
        if isinstance(lasts_s, str):
            return Decision(outcome=Respond(status_code=401, reason=lasts_s), phase=phase)
        if lasts_s is not None:
            now_ns = yield Now()
            exchange.admit_until(now_ns + int(lasts_s * 1e9))
        return GO_ON[phase]


DENIED = "denied"
ADMISSION_ENDED = "stream-admission-ended"
RULES = "on_http_request: [{actions: [{type: set-vars, config: {vars: [{a: 1}]}}]}]"


@pytest.fixture
def admitting(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Admitting]:
    def make(*lasts_s: float | str | None) -> Admitting:
        made = Admitting(*lasts_s)
        monkeypatch.setattr("proxy.readmission.run_phase", made.run)
        monkeypatch.setattr("proxy.exchange_driver.begin_phase", made.run)
        monkeypatch.setattr("proxy.readmission.SHORTEST_RENEWAL_S", 0.01)
        return made

    return make


@pytest.mark.sources_only
async def test_a_websocket_ends_with_what_admitted_it(admitting: Callable[..., Admitting]) -> None:
    policy = admitting(0.05, DENIED)
    async with opened(RULES) as ends:
        assert closing(await ends.at_client()) == 1008
        assert (await ends.proxy.completion()).reason == ADMISSION_ENDED
        assert [each.is_readmission for each in policy.asked] == [False, True]


@pytest.mark.sources_only
async def test_an_event_stream_ends_with_what_admitted_it(
    admitting: Callable[..., Admitting],
) -> None:
    admitting(0.05, DENIED)
    async with listening(RULES, ACCEPT_EVENTS) as (running, client, upstream):
        assert await client.rest() == b""
        await until(lambda: upstream.open == 0)
        assert (await running.completion()).reason == ADMISSION_ENDED


@pytest.mark.sources_only
async def test_what_is_admitted_anew_goes_on(admitting: Callable[..., Admitting]) -> None:
    policy = admitting(0.02, 0.02, 0.02, None)
    async with opened(RULES) as ends:
        await until(lambda: len(policy.asked) == 4)
        assert await is_open(ends)
        (stream,) = ends.proxy.service.streams
        assert stream.admitted_until_ns is None


@pytest.mark.sources_only
async def test_what_is_admitted_until_a_time_that_is_over_ends(
    admitting: Callable[..., Admitting],
) -> None:
    admitting(0.02, -1)
    async with opened(RULES) as ends:
        assert closing(await ends.at_client()) == 1008


@pytest.mark.sources_only
async def test_a_clock_that_is_set_is_noticed(
    admitting: Callable[..., Admitting], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.readmission.LONGEST_WAIT_S", 0.02)
    policy = admitting(3600, DENIED)
    async with opened(RULES) as ends:
        assert await is_open(ends)
        assert len(policy.asked) == 1
        ends.proxy.service.now_ns = lambda: time.time_ns() + 3601 * 10**9
        assert closing(await ends.at_client()) == 1008


@pytest.mark.sources_only
async def test_a_stream_that_has_ended_is_not_asked_about(
    admitting: Callable[..., Admitting],
) -> None:
    policy = admitting(0.02, DENIED)
    async with opened(RULES) as ends:
        ends.proxy.service.streams.close(1001, "going-away")
        await ends.at_client()
        await asyncio.sleep(0.05)
        assert len(policy.asked) == 1


@pytest.mark.sources_only
async def test_a_reload_gives_streams_a_new_time(admitting: Callable[..., Admitting]) -> None:
    admitting(0.05, None)
    async with opened(RULES) as ends:
        await reload(ends.proxy, RULES)
        (stream,) = ends.proxy.service.streams
        assert stream.admitted_until_ns is None


def asking(
    effect: Effect, answers: list[object]
) -> Callable[..., Generator[Effect, Any, Decision]]:
    def run(*_: object) -> Generator[Effect, Any, Decision]:
        answers.append((yield effect))
        return GO_ON[Phase.ON_HTTP_REQUEST]

    return run


async def test_an_action_that_asks_the_network_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with origin(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as service:
        url = f"http://127.0.0.1:{service.port}/"
        fetch = Fetch(url=url, limit_bytes=100, timeout_s=5.0, is_host_trusted=True)
        document = GetDocument(url=url, parse=len)
        for effect, wanted in ((fetch, Fetched), (document, Document)):
            answers: list[object] = []
            monkeypatch.setattr("proxy.readmission.run_phase", asking(effect, answers))
            async with opened() as ends:
                ends.proxy.service.documents.keep([document], max_stale_s=60)
                await reload(ends.proxy, RULES)
                assert await is_open(ends)
                assert [type(each) for each in answers] == [wanted]
                await ends.proxy.service.documents.close()
                await ends.proxy.service.fetcher.close()


async def test_who_waits_too_long_for_an_answer_is_not_let_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    monkeypatch.setattr("proxy.readmission.TIMEOUT_S", 0.05)
    async with origin(script=silent) as service:
        url = f"http://127.0.0.1:{service.port}/"
        fetch = Fetch(url=url, limit_bytes=100, timeout_s=30.0, is_host_trusted=True)
        monkeypatch.setattr("proxy.readmission.run_phase", asking(fetch, []))
        async with opened() as ends:
            await reload(ends.proxy, RULES)
            assert closing(await ends.at_client()) == 1008
            await ends.proxy.service.fetcher.close()


SESSIONS: Kind[str] = Kind(name="session", encode=str.encode, decode=bytes.decode, max_entries=10)


@pytest.mark.sources_only
@pytest.mark.parametrize("removing", [StoreDelete, StoreTake])
async def test_a_stream_ends_when_the_record_is_removed_on_which_it_was_let_in(
    removing: type[StoreDelete | StoreTake], monkeypatch: pytest.MonkeyPatch
) -> None:
    def looking(
        _policy: object, phase: Phase, exchange: Exchange, *_: object
    ) -> Generator[Effect, Any, Decision]:
        if not exchange.is_readmission:
            for key in ("mine", "other"):
                yield StorePut(kind=SESSIONS, key=key, value="", ttl_s=60)
        session = yield StoreGet(kind=SESSIONS, key="mine")
        if session is None:
            refused = Respond[Any](status_code=401, reason="login-required")
            return Decision(outcome=refused, phase=phase)
        return GO_ON[phase]

    monkeypatch.setattr("proxy.readmission.run_phase", looking)
    monkeypatch.setattr("proxy.exchange_driver.begin_phase", looking)
    async with opened(RULES) as ends:
        answer_effect(removing(kind=SESSIONS, key="other"), ends.proxy.service)
        assert await is_open(ends)
        answer_effect(removing(kind=SESSIONS, key="mine"), ends.proxy.service)
        assert closing(await ends.at_client()) == 1008
        assert (await ends.proxy.completion()).reason == ADMISSION_ENDED


async def test_many_streams_are_decided_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[object] = []
    async with opened() as ends, opened() as others:
        (other,) = others.proxy.service.streams
        ends.proxy.service.streams.add(other)
        waiting = asyncio.get_running_loop().create_future()
        monkeypatch.setattr("proxy.readmission.answer_effect", lambda *_: waiting)
        monkeypatch.setattr("proxy.readmission.run_phase", asking(Now(), answers))
        configure(ends.proxy, served(1, RULES))
        asked = asyncio.create_task(readmit_streams(ends.proxy.service))
        await asyncio.sleep(0)
        waiting.set_result(None)
        await asked
        assert answers == [None, None]


def token_rules() -> str:
    jws = {
        "allowed_algorithms": ["RS256"],
        "keys": {"sources": {"jwks": [json.loads(key_set(RS256))]}},
    }
    action = {"type": "jwt-validation", "config": settings(jws=jws)}
    return json.dumps({"on_http_request": [{"actions": [action]}]})


def expiring(seconds: float) -> str:
    """Return a header with a token that is accepted for so long, with the leeway of a minute."""
    now_s = time.time()
    return f"Authorization: Bearer {RS256.token(claims_of(now_s, exp=now_s + seconds - 60))}"


async def test_a_websocket_ends_when_its_token_expires() -> None:
    """T-WS-4."""
    async with opened(token_rules(), expiring(1.0)) as ends:
        assert await is_open(ends)
        assert closing(await ends.at_client()) == 1008
        assert (await ends.proxy.completion()).reason == ADMISSION_ENDED


async def test_an_event_stream_ends_when_its_token_expires() -> None:
    """T-WS-4."""
    async with listening(token_rules(), ACCEPT_EVENTS, expiring(1.0)) as (running, client, _):
        assert await client.rest() == b""
        assert (await running.completion()).reason == ADMISSION_ENDED


async def test_a_stream_whose_token_is_good_for_long_goes_on() -> None:
    async with opened(token_rules(), expiring(3600)) as ends:
        await reload(ends.proxy, token_rules())
        assert await is_open(ends)
