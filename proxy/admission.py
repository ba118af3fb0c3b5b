"""Runs `on_tcp_connect`: whether a connection may use an endpoint at all."""

from __future__ import annotations

from typing import Any

from policy.action import Close, Continue, Respond
from policy.effect import Now
from policy.engine import Decision, Phases, run_phase
from policy.exchange import Connection, Exchange
from policy.phase import Phase
from proxy.completion import Completion
from proxy.endpoint import ServedEndpoint
from proxy.service import Service


def admit(
    service: Service, served: ServedEndpoint, connection: Connection
) -> dict[str, Any] | None:
    """Return the results of the phase, which later phases can read; None to close.

    A refusal is reported here. There is no request yet that could be answered.
    """
    if not served.policy.has(Phase.ON_TCP_CONNECT):
        return {}
    exchange = Exchange(
        connection=connection,
        endpoint=served.endpoint,
        surroundings=service.runtime.surroundings,
    )
    decision = _decide(run_phase(served.policy, Phase.ON_TCP_CONNECT, exchange), service)
    if isinstance(decision.outcome, Continue):
        return exchange.results
    _report(service, served, exchange, decision, decision.outcome)
    return None


def _decide(steps: Phases, service: Service) -> Decision:
    answer: int | None = None
    while True:
        try:
            effect = steps.send(answer)
        except StopIteration as end:
            decision: Decision = end.value
            return decision
        if not isinstance(effect, Now):
            raise NotImplementedError(effect)
        answer = service.now_ns()


def _report(
    service: Service,
    served: ServedEndpoint,
    exchange: Exchange,
    decision: Decision,
    outcome: Respond[Any] | Close[Any],
) -> None:
    rule = decision.rule
    service.completed(
        Completion(
            connection=exchange.connection,
            exchange=exchange,
            endpoint=served.endpoint.name,
            policy=served.policy.name,
            reason=outcome.reason,
            error_code=outcome.error_code,
            phase=decision.phase,
            rule=rule.index if rule is not None else None,
            rule_name=rule.name if rule is not None else None,
            action=decision.action,
            started_ns=exchange.connection.started_ns,
            ended_ns=service.now_ns(),
        )
    )
