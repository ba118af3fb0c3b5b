"""One phase of a policy that waits for effects, on behalf of an exchange.

Most phases decide at once and never come here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from policy.effect import ReadBody
from policy.engine import Decision, Phases
from policy.store import StoreGet
from proxy.effects import answer_effect
from proxy.service import Service


class Waiting(Protocol):
    """The exchange. `read_body` tells whether there is nothing to wait for."""

    def read_body(self, effect: ReadBody) -> bool: ...
    def whole_body(self) -> bytes | None: ...
    def looked_up(self, effect: StoreGet) -> None: ...
    def phase_decided(self, decision: Decision, then: Callable[[Decision], None]) -> None: ...
    def phase_failed(self, error: Exception) -> None: ...


class WaitingPhase:
    """Answers the effects of one phase, one after another, and says how it ended."""

    __slots__ = ("_answer", "_exchange", "_service", "_steps", "_then")

    def __init__(
        self, steps: Phases, exchange: Waiting, service: Service, then: Callable[[Decision], None]
    ) -> None:
        """Take a phase at its first effect; `then` is handed back with its decision."""
        self._steps: Phases | None = steps
        self._exchange = exchange
        self._service = service
        self._then = then
        self._answer: asyncio.Future[Any] | None = None

    def go_on(self, answer: Any, raised: BaseException | None = None) -> None:
        """Go on with the phase until it ends or waits for something."""
        steps, exchange = self._steps, self._exchange
        if steps is None:
            return
        while True:
            try:
                effect = steps.send(answer) if raised is None else steps.throw(raised)
            except StopIteration as end:
                self._steps = None
                exchange.phase_decided(end.value, self._then)
                return
            except Exception as error:  # noqa: BLE001 - a fault of ours must not let a request by
                self._steps = None
                exchange.phase_failed(error)
                return
            if isinstance(effect, ReadBody):
                if not exchange.read_body(effect):
                    return
                answer, raised = exchange.whole_body(), None
                continue
            if isinstance(effect, StoreGet):
                exchange.looked_up(effect)
            try:
                answer, raised = answer_effect(effect, self._service), None
            except Exception as error:  # noqa: BLE001 - it is for the action, which asked
                answer, raised = None, error
            if isinstance(answer, asyncio.Future):
                self._answer = answer
                answer.add_done_callback(self._arrived)
                return

    def cancel(self) -> None:
        """Wait no more: there is nobody left to decide for."""
        self._steps = None
        if self._answer is not None:
            self._answer.cancel()

    def _arrived(self, future: asyncio.Future[Any]) -> None:
        """Go on with what the policy has waited for, unless nobody is there any more."""
        self._answer = None
        if self._steps is not None and not future.cancelled():
            raised = future.exception()
            self.go_on(future.result() if raised is None else None, raised)
