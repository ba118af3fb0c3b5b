"""Answers what actions ask of the outside world, whoever runs their policy."""

from __future__ import annotations

import asyncio
from typing import Any, assert_never

from policy.effect import Effect, Fetch, GetDocument, Now, ReadBody
from proxy.service import Service


def answer_effect(effect: Effect, service: Service) -> Any:
    """Return the answer, or the future of it where it takes time.

    All but the request's body: that is read by whoever has the request.
    """
    match effect:
        case GetDocument():
            return service.documents.answer(effect)
        case Now():
            return service.now_ns()
        case Fetch():
            return asyncio.ensure_future(service.fetcher.fetch(effect))
        case ReadBody():
            raise TypeError("the body is read by whoever has it")
        case _:
            assert_never(effect)
