"""The record of one finished request: what was decided, by which rule, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass

from policy.continuation import Continue
from policy.engine import Decision
from policy.exchange import Connection, Exchange
from proxy.endpoint import ServedEndpoint
from proxy.refusal import Refusal


@dataclass(slots=True)
class Completion:
    """One request from its first byte to its last, or one connection refused before that.

    `exchange` is None when the bytes were no request. `status` is None when nothing was
    answered. Sizes are bytes of content, without framing. Times are nanoseconds since the epoch;
    `upstream_head_ns` is when the response head came, None if it never did. `reason` is the
    stable code of what ended the request early, None for one that was simply forwarded. `rule`
    is the index in its phase of the rule that decided.
    """

    connection: Connection
    exchange: Exchange | None = None
    endpoint: str | None = None
    policy: str | None = None
    status: int | None = None
    reason: str | None = None
    error_code: str | None = None
    phase: str | None = None
    rule: int | None = None
    rule_name: str | None = None
    action: str | None = None
    started_ns: int = 0
    upstream_head_ns: int | None = None
    ended_ns: int = 0
    request_body_bytes: int = 0
    response_body_bytes: int = 0
    upstream: str | None = None
    upstream_status: int | None = None
    upstream_connection_reused: bool = False
    upgraded: bool = False
    client_aborted: bool = False

    def refused(self, refusal: Refusal) -> None:
        """Say that the proxy itself ended the request."""
        self.reason, self.error_code = refusal.reason, refusal.error_code

    def decided(self, decision: Decision) -> None:
        """Say which rule ended the request; one that lets it go on changes nothing."""
        outcome = decision.outcome
        if isinstance(outcome, Continue):
            return
        self.reason, self.error_code = outcome.reason, outcome.error_code
        self.phase, self.action = decision.phase, decision.action
        if decision.rule is not None:
            self.rule, self.rule_name = decision.rule.index, decision.rule.name


def exchange_completion(exchange: Exchange, served: ServedEndpoint, ended_ns: int) -> Completion:
    """Begin the record of an exchange that has ended; what came of it is for others to fill in."""
    record = Completion(exchange.connection)
    # One by one: naming them all in a call takes several times as long.
    record.exchange = exchange
    record.endpoint = served.endpoint.name
    record.policy = served.policy.name
    record.ended_ns = ended_ns
    if exchange.request is not None:
        record.started_ns = exchange.request.received_ns
    if served.upstream is not None:
        record.upstream = served.upstream.authority
    return record
