"""Answers what actions ask of the outside world, whoever runs their policy."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any, TypeVar, assert_never

from policy.effect import Compute, Effect, Fetch, GetDocument, Now, Once, ReadBody, Wait
from policy.store import StoreDelete, StoreFind, StoreGet, StorePut, StoreTake
from proxy.service import Service

T = TypeVar("T")


def answer_effect(effect: Effect, service: Service) -> Any:
    """Return the answer, or the future of it where it takes time.

    A future of a piece of work raises what the work raises: that is for the generator that asked.
    All but the request's body: that is read by whoever has the request.
    """
    match effect:
        case GetDocument():
            return service.documents.answer(effect)
        case StoreGet() | StorePut() | StoreFind():
            return service.store.answer(effect)
        case StoreDelete() | StoreTake():
            return _remove(effect, service)
        case Now():
            return service.now_ns()
        case Fetch():
            return asyncio.ensure_future(service.fetcher.fetch(effect))
        case Once(name=name, work=work):
            return service.single_flight.join(name, lambda: completed(work(), service))
        case Wait(seconds=seconds):
            return asyncio.ensure_future(asyncio.sleep(seconds))
        case Compute(run=run):
            return service.calculator.run(run)
        case ReadBody():
            raise TypeError("the body is read by whoever has it")
        case _:
            assert_never(effect)


def _remove(effect: StoreDelete | StoreTake, service: Service) -> Any:
    """Remove a record, and have streams decided again that were let in on it (T-WS-4)."""
    answer = service.store.answer(effect)
    if isinstance(answer, asyncio.Future):
        answer.add_done_callback(lambda _: _removed(effect, service))
    else:
        _removed(effect, service)
    return answer


def _removed(effect: StoreDelete | StoreTake, service: Service) -> None:
    # Whatever the answer was: what can't be known is not let through.
    service.streams.record_removed(effect.kind.name, effect.key)


async def completed(steps: Generator[Effect, Any, T], service: Service) -> T:
    """Run a piece of work to its end, answering what it asks for."""
    answer: Any = None
    raised: Exception | None = None
    while True:
        try:
            effect = steps.send(answer) if raised is None else steps.throw(raised)
        except StopIteration as end:
            result: T = end.value
            return result
        try:
            answer, raised = answer_effect(effect, service), None
            if isinstance(answer, asyncio.Future):
                answer = await answer
        except Exception as error:  # noqa: BLE001 - it is for the work, which asked
            answer, raised = None, error
