"""One exchange through all phases, its effects answered from values."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from actions import LANGUAGE
from policy.effect import Compute, Effect, Now, Once, ReadBody, Wait
from policy.engine import GO_ON, Decision
from policy.evaluation import Ending, Evaluation, UpstreamAnswer, World, evaluate
from policy.exchange import Connection, Endpoint, Exchange, Request
from policy.fields import Fields
from policy.load import load_policy
from policy.memory_store import MemoryStore
from policy.phase import Phase
from policy.store import Kind, StoreDelete, StoreFind, StoreGet, StorePut, StoreTake
from policy.url import parse_url
from tests import exchanges

NOW_NS = 1_784_000_000_000_000_000


def play(
    document: str, *, method: str = "GET", upstream: UpstreamAnswer | None = None
) -> Evaluation:
    exchange = Exchange(
        connection=Connection(
            client_ip="192.0.2.7",
            client_port=1,
            server_ip="127.0.0.1",
            server_port=80,
            started_ns=NOW_NS,
        ),
        endpoint=Endpoint(
            id="e", name="e", url="http://h.example", protocol="http", host="h.example", port=80
        ),
        surroundings=exchanges.surroundings(now_ns=lambda: NOW_NS),
    )
    request = Request(
        method=method,
        version="HTTP/1.1",
        url=parse_url("http://h.example/a"),
        headers=Fields([("Host", "h.example"), ("X-User", "mallory")]),
        received_ns=NOW_NS,
    )
    policy = load_policy(document, name="policy.yaml", language=LANGUAGE)
    return evaluate(policy, exchange, request, b"", upstream or UpstreamAnswer())


def test_without_rules_the_request_is_forwarded_and_answered() -> None:
    played = play("", upstream=UpstreamAnswer(status_code=201, body=b"made"))
    assert played.ending is Ending.FORWARD
    assert played.decision is None
    assert played.response is not None
    assert (played.response.status_code, played.response.body) == (201, b"made")


def test_a_rewritten_host_does_not_change_where_the_request_goes() -> None:
    played = play(
        "on_http_request: [{actions: [{type: url-rewrite, config: {to: 'https://b.example:99/b?c'}},"
        " {type: set-vars, config: {vars: [{seen: '${req.url}'}]}}]}]"
    )
    assert played.upstream_request is not None
    assert played.upstream_request.url == "http://h.example/b?c"
    assert played.vars == {"seen": "https://b.example:99/b?c"}


def test_what_a_client_sent_under_an_owned_name_never_arrives() -> None:
    document = (
        "on_http_request: [{actions: [{type: add-headers, config: {headers: {x-user: me}}}]}]"
    )
    played = play(document)
    assert played.upstream_request is not None
    users = [value for name, value in played.upstream_request.headers if name.lower() == "x-user"]
    assert users == ["me"]


def test_the_connection_phase_runs_before_there_is_a_request() -> None:
    played = play("on_tcp_connect: [{actions: [{type: deny}]}]")
    assert played.ending is Ending.CLOSE
    assert played.exchange.request is None
    assert played.decision is not None
    assert played.decision.phase is Phase.ON_TCP_CONNECT


@pytest.mark.parametrize(
    ("method", "status_code"),
    [
        pytest.param("HEAD", 200, id="head"),
        pytest.param("GET", 204, id="no-content"),
        pytest.param("GET", 304, id="not-modified"),
    ],
)
def test_responses_without_a_body_have_none(method: str, status_code: int) -> None:
    upstream = UpstreamAnswer(status_code=status_code, body=b"body")
    played = play("", method=method, upstream=upstream)
    assert played.response is not None
    assert played.response.body == b""


def test_an_upstream_can_not_speak_in_the_proxys_name() -> None:
    upstream = UpstreamAnswer(headers=(("ngrok-error-code", "ERR_NGROK_1"), ("Connection", "x")))
    played = play("", upstream=upstream)
    assert played.response is not None
    assert played.response.headers == ()


def test_a_response_rule_that_fails_replaces_the_response() -> None:
    failing = "{expressions: ['1 / (res.status_code - 200) == 1'], actions: [{type: deny}]}"
    document = f"on_http_response: [{failing}]".replace("deny", "custom-response")
    played = play(document)
    assert played.ending is Ending.RESPOND
    assert played.response is not None
    assert played.response.status_code == 500


def asking_phase() -> Generator[Effect, Any, Decision]:
    assert (yield ReadBody(limit_bytes=4)) == b"body"
    assert (yield ReadBody(limit_bytes=3)) is None
    assert (yield Now()) == NOW_NS
    return GO_ON[Phase.ON_HTTP_REQUEST]


def test_effects_are_answered_from_values() -> None:
    decision = World(body=b"body", now_ns=lambda: NOW_NS).answered(asking_phase())
    assert decision is GO_ON[Phase.ON_HTTP_REQUEST]


TEXTS: Kind[str] = Kind(name="text", encode=str.encode, decode=bytes.decode, max_entries=10)


def test_records_and_work_are_answered_at_once() -> None:
    begun: list[int] = []

    def work() -> Generator[Effect, Any, str]:
        begun.append(1)
        yield Wait(seconds=3600)
        version = yield StorePut(kind=TEXTS, key="k", value="v", ttl_s=60)
        return str(version)

    def asking() -> Generator[Effect, Any, object]:
        done = yield Once(name="x", work=work)
        computed = yield Compute(run=lambda: 6 * 7)
        got = yield StoreGet(kind=TEXTS, key="k")
        found = yield StoreFind(kind=TEXTS)
        taken = yield StoreTake(kind=TEXTS, key="k")
        gone = yield StoreDelete(kind=TEXTS, key="k")
        return done, computed, got == taken == found[0], gone

    world = World(now_ns=lambda: NOW_NS)
    assert world.answered(asking()) == ("1", 42, True, False)
    assert begun == [1]


def test_what_a_calculation_or_a_piece_of_work_raises_is_raised_where_it_was_asked_for() -> None:
    def work() -> Generator[Effect, Any, None]:
        yield Compute(run=lambda: 1 // 0)

    def asking() -> Generator[Effect, Any, str]:
        try:
            yield Once(name="x", work=work)
        except ZeroDivisionError:
            return "handled"
        return "not raised"

    assert World(now_ns=lambda: NOW_NS).answered(asking()) == "handled"


def test_a_store_may_hold_what_earlier_requests_have_left() -> None:
    store = MemoryStore(now=lambda: 0.0)
    store.answer(StorePut(kind=TEXTS, key="k", value="v", ttl_s=60))

    def asking() -> Generator[Effect, Any, object]:
        return (yield StoreGet(kind=TEXTS, key="k")).value

    assert World(now_ns=lambda: NOW_NS, store=store).answered(asking()) == "v"
