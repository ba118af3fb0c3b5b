"""One phase of a policy that waits for effects, on behalf of an exchange.

Most phases decide at once and never come here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from policy.effect import ReadBody
from policy.engine import Decision, Phases
from policy.exchange import Exchange
from policy.store import StoreGet
from proxy.client_side import ClientSide
from proxy.effects import answer_effect
from proxy.request_body import RequestBody
from proxy.service import Service


class WaitingPhase:
    """Answers the effects of one phase, one after another, and says how it ended."""

    __slots__ = (
        "_answer", "_body", "_client", "_decided", "_exchange", "_failed", "_service", "_steps",
    )  # fmt: skip

    def __init__(
        self,
        steps: Phases,
        exchange: Exchange,
        body: RequestBody | None,
        client: ClientSide,
        *,
        service: Service,
        decided: Callable[[Decision], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Take a phase at its first effect; `body` is None for a request without one.

        Either `decided` is called with the phase's decision, or `failed` after a fault of ours.
        """
        self._steps: Phases | None = steps
        self._exchange = exchange
        self._body = body
        self._client = client
        self._service = service
        self._decided = decided
        self._failed = failed
        self._answer: asyncio.Future[Any] | None = None

    def go_on(self, answer: Any, raised: BaseException | None = None) -> None:
        """Go on with the phase until it ends or waits for something."""
        steps = self._steps
        if steps is None:
            return
        while True:
            try:
                effect = steps.send(answer) if raised is None else steps.throw(raised)
            except StopIteration as end:
                self._steps = None
                self._decided(end.value)
                return
            except Exception as error:  # noqa: BLE001 - a fault of ours must not let a request by
                self._steps = None
                self._failed(error)
                return
            if isinstance(effect, ReadBody):
                if self._is_short(effect):
                    return
                answer, raised = b"" if self._body is None else self._body.whole(), None
                continue
            if isinstance(effect, StoreGet):
                # The decision may rest on it.
                self._exchange.records += ((effect.kind.name, effect.key),)
            try:
                answer, raised = answer_effect(effect, self._service), None
            except Exception as error:  # noqa: BLE001 - it is for the action, which asked
                answer, raised = None, error
            if isinstance(answer, asyncio.Future):
                self._answer = answer
                answer.add_done_callback(self._arrived)
                return

    def content_came(self) -> None:
        """Go on with the body if that is what the phase waits for, and it has all it wants."""
        body = self._body
        if body is None or not body.is_awaited:
            self._client.pause()
        elif body.is_enough:
            self._client.pause()
            self.go_on(body.whole())

    def cancel(self) -> None:
        """Wait no more: there is nobody left to decide for."""
        self._steps = None
        if self._answer is not None:
            self._answer.cancel()

    def _is_short(self, effect: ReadBody) -> bool:
        """Begin to keep the body; tell whether some of it has yet to come."""
        body = self._body
        if body is None:
            return False
        limit = self._service.runtime.limits.max_buffered_body_bytes
        body.await_whole(min(effect.limit_bytes, limit))
        if body.is_enough:
            return False
        self._client.want_content()
        self._client.resume()
        return True

    def _arrived(self, future: asyncio.Future[Any]) -> None:
        """Go on with what the policy has waited for, unless nobody is there any more."""
        self._answer = None
        if self._steps is not None and not future.cancelled():
            raised = future.exception()
            self.go_on(future.result() if raised is None else None, raised)
