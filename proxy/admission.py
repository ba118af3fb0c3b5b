"""Runs `on_tcp_connect`: whether a connection may use an endpoint at all."""

from __future__ import annotations

from typing import Any, NamedTuple

from policy.continuation import Continue
from policy.engine import Decision, Phases, run_phase
from policy.exchange import Connection, Exchange
from policy.phase import Phase
from proxy.completion import Completion
from proxy.endpoint import ServedEndpoint
from proxy.service import Service


class Admitted(NamedTuple):
    """A connection that may use an endpoint.

    `results` are those of the phase, which later phases can read. `record` is None unless the
    phase has logged something: then it is to be completed when the connection closes.
    """

    results: dict[str, Any]
    record: Completion | None = None


def admit(service: Service, served: ServedEndpoint, connection: Connection) -> Admitted | None:
    """Run the phase; None to close the connection.

    A refusal is reported here. There is no request yet that could be answered.
    """
    if not served.policy.has(Phase.ON_TCP_CONNECT):
        return Admitted({})
    exchange = Exchange(
        connection=connection,
        endpoint=served.endpoint,
        surroundings=service.runtime.surroundings,
    )
    decision = _decide(run_phase(served.policy, Phase.ON_TCP_CONNECT, exchange))
    outcome = decision.outcome
    if isinstance(outcome, Continue):
        record = _record(service, served, exchange) if exchange.logs else None
        return Admitted(exchange.results, record)
    record = _record(service, served, exchange)
    record.reason, record.error_code = outcome.reason, outcome.error_code
    record.action = decision.action
    if decision.rule is not None:
        record.rule, record.rule_name = decision.rule.index, decision.rule.name
    service.report(record)
    return None


def _decide(steps: Phases) -> Decision:
    try:
        effect = next(steps)
    except StopIteration as end:
        decision: Decision = end.value
        return decision
    # No action with effects can be made for this phase. The connection ends with the exception.
    raise TypeError(f"on_tcp_connect does not wait for {effect}")


def _record(service: Service, served: ServedEndpoint, exchange: Exchange) -> Completion:
    return Completion(
        connection=exchange.connection,
        exchange=exchange,
        endpoint=served.endpoint.name,
        policy=served.policy.name,
        phase=Phase.ON_TCP_CONNECT,
        started_ns=exchange.connection.started_ns,
        ended_ns=service.now_ns(),
    )
