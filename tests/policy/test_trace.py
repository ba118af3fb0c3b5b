"""The record that explains a decision."""

from __future__ import annotations

import pytest

from actions import LANGUAGE
from policy.engine import run_phase
from policy.load import load_policy
from policy.phase import Phase
from policy.trace import Trace
from tests import exchanges

POLICY = load_policy(
    """
    on_http_request:
      - name: writers
        expressions: [req.method == 'POST', conn.client_ip == '10.0.0.1']
        actions: [{type: deny}]
      - expressions: [req.method == 'GET']
        actions:
          - {type: add-headers, config: {headers: {x-a: "1"}}}
          - {type: custom-response, config: {status_code: 418}}
    """,
    name="policy.yml",
    language=LANGUAGE,
)


def trace_of(policy: object = POLICY, phase: Phase = Phase.ON_HTTP_REQUEST) -> Trace:
    trace = Trace()
    with pytest.raises(StopIteration):
        next(run_phase(policy, phase, exchanges.exchange(phase=phase), trace))  # type: ignore[arg-type]
    return trace


def test_every_rule_is_recorded_with_what_its_expressions_gave() -> None:
    first, second = trace_of().rules
    assert (first.index, first.name, first.matched) == (0, "writers", False)
    assert [(e.text, e.value) for e in first.expressions] == [("req.method == 'POST'", False)]
    assert first.skipped_expressions == ("conn.client_ip == '10.0.0.1'",)
    assert first.actions == []
    assert second.matched
    assert [(a.type, a.outcome, a.status_code) for a in second.actions] == [
        ("add-headers", "continue", None),
        ("custom-response", "respond", 418),
    ]


def test_sub_values_stand_beside_the_expression() -> None:
    parts = trace_of().rules[0].expressions[0].parts
    assert ("req.method", "GET") in [(part.text, part.value) for part in parts]


def test_a_failing_expression_is_recorded_with_its_error() -> None:
    policy = load_policy(
        "on_http_request: [{expressions: [int(req.host) == 1], actions: [{type: deny}]}]",
        name="policy.yml",
        language=LANGUAGE,
    )
    (rule,) = trace_of(policy).rules
    assert not rule.matched
    assert rule.expressions[0].error is not None


def test_a_closed_connection_is_recorded_with_its_reason() -> None:
    policy = load_policy(
        "on_tcp_connect: [{actions: [{type: close-connection}]}]",
        name="policy.yml",
        language=LANGUAGE,
    )
    (rule,) = trace_of(policy, Phase.ON_TCP_CONNECT).rules
    assert [(a.outcome, a.reason) for a in rule.actions] == [("close", "connection-closed")]
