"""What actions ask for is answered, and what goes wrong there goes to whoever asked."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

import pytest

from policy.effect import Compute, Effect, Now, Once, ReadBody, Wait
from policy.store import Kind, Record, StoreDelete, StoreFind, StoreGet, StorePut, StoreTake
from proxy.effects import answer_effect, completed
from proxy.service import Service
from tests.proxy.rig import proxy, request, served

NAMES: Kind[str] = Kind(
    name="name", encode=lambda name: name.encode(), decode=lambda data: data.decode(),
    max_entries=10,
)  # fmt: skip

Steps = Generator[Effect, Any, Any]


@pytest.fixture
async def service() -> Any:
    async with proxy(served(1)) as running:
        yield running.service


async def test_records_are_kept_between_two_pieces_of_work(service: Service) -> None:
    def write() -> Steps:
        return (yield StorePut(kind=NAMES, key="k", value="v", ttl_s=60, groups=("g",)))

    def read() -> Steps:
        got = yield StoreGet(kind=NAMES, key="k")
        found = yield StoreFind(kind=NAMES, group="g")
        taken = yield StoreTake(kind=NAMES, key="k")
        return got, found, taken, (yield StoreDelete(kind=NAMES, key="k"))

    version = await completed(write(), service)
    record = Record(key="k", value="v", version=version)
    assert await completed(read(), service) == (record, (record,), record, False)


async def test_work_inside_of_work_is_done_once_for_all(service: Service) -> None:
    begun: list[int] = []

    def inner() -> Steps:
        begun.append(1)
        yield Wait(seconds=0.01)
        return (yield Now())

    def outer() -> Steps:
        return (yield Once(name="x", work=inner))

    answers = await asyncio.gather(*(completed(outer(), service) for _ in range(20)))
    assert len(begun) == 1
    assert len(set(answers)) == 1


async def test_a_client_that_goes_away_does_not_end_what_is_done_once(service: Service) -> None:
    ended = asyncio.Event()

    def inner() -> Steps:
        yield Wait(seconds=0.01)
        ended.set()

    waiting = answer_effect(Once(name="x", work=inner), service)
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait_for(ended.wait(), 5)


def fail() -> Steps:
    yield Now()
    return 1 // 0


@pytest.mark.parametrize(
    "effect",
    [
        pytest.param(Compute(run=lambda: 1 // 0), id="calculation"),
        pytest.param(Once(name="x", work=fail), id="work"),
        pytest.param(StorePut(kind=NAMES, key="k", value="v", ttl_s=60), id="store"),
    ],
)
async def test_what_goes_wrong_is_raised_where_it_was_asked_for(
    service: Service, effect: Effect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(service.store), "answer", lambda *_: 1 // 0)

    def ask() -> Steps:
        try:
            yield effect
        except ZeroDivisionError:
            return (yield Compute(run=lambda: "handled"))

    assert await completed(ask(), service) == "handled"


async def test_a_body_is_read_by_whoever_has_it(service: Service) -> None:
    with pytest.raises(TypeError):
        answer_effect(ReadBody(limit_bytes=1), service)


@pytest.mark.sources_only
async def test_a_request_whose_action_fails_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> Steps:
        yield Compute(run=lambda: 1 // 0)

    monkeypatch.setattr("proxy.exchange_driver.begin_phase", failing)
    rules = "on_http_request: [{actions: [{type: set-vars, config: {vars: [{a: 1}]}}]}]"
    async with proxy(served(1, rules)) as running:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        assert (await running.ask(request())).status == 500
