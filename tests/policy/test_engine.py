"""Order, termination and failure of rules (language spec, sections 1.3 and 2.3)."""

from __future__ import annotations

from typing import Any

import pytest

from actions import LANGUAGE
from policy.action import Action, ActionConfig, Close, Continue, Exchange, Outcome, Respond
from policy.compiled import Policy
from policy.effect import Now, ReadBody
from policy.engine import Decision, begin_phase, begin_request, run_phase
from policy.load import Language, load_policy
from policy.phase import ALL_PHASES, HTTP_PHASES, Phase
from policy.trace import Trace
from tests import exchanges


def policy(text: str, language: Language = LANGUAGE) -> Policy:
    return load_policy(text, name="policy.yml", language=language)


def decide(
    loaded: Policy, on: Exchange, phase: Phase = Phase.ON_HTTP_REQUEST, trace: Trace | None = None
) -> Decision:
    run = run_phase(loaded, phase, on, trace)
    with pytest.raises(StopIteration) as stopped:
        next(run)
    decision: Decision = stopped.value.value
    return decision


def test_a_phase_without_rules_goes_on() -> None:
    decision = decide(policy(""), exchanges.exchange())
    assert decision.outcome == Continue()
    assert decision.reason is None
    assert decision.rule is None


def test_rules_run_in_order_and_the_first_that_ends_the_phase_decides() -> None:
    loaded = policy("""
        on_http_request:
          - expressions: ["false"]
            actions: [{type: deny, config: {status_code: 401}}]
          - name: second
            actions: [{type: deny, config: {status_code: 402}}]
          - actions: [{type: deny, config: {status_code: 404}}]
    """)
    decision = decide(loaded, exchanges.exchange())
    assert isinstance(decision.outcome, Respond)
    assert decision.outcome.status_code == 402
    assert decision.rule is not None
    assert (decision.rule.index, decision.rule.name) == (1, "second")
    assert decision.action == "deny"
    assert decision.reason == "denied"


def test_all_expressions_must_hold_and_a_false_one_guards_those_after_it() -> None:
    loaded = policy("""
        on_http_request:
          - expressions: ["req.method == 'POST'", "1 / int(req.url.query_params['n'][0]) > 0"]
            actions: [{type: deny}]
    """)
    assert decide(loaded, exchanges.exchange()).outcome == Continue()


def test_later_expressions_see_what_earlier_actions_did() -> None:
    loaded = policy("""
        on_http_request:
          - actions:
              - {type: add-headers, config: {headers: {x-tier: gold}}}
              - {type: set-vars, config: {vars: [{limit: "${size(req.headers['x-tier'])}"}]}}
          - expressions:
              - req.headers['x-tier'][0] == 'gold'
              - vars.limit == 1
              - actions.ngrok.add_headers.headers_added['x-tier'] == 'gold'
            actions: [{type: deny}]
    """)
    assert isinstance(decide(loaded, exchanges.exchange()).outcome, Respond)


def test_vars_live_for_one_phase_and_results_for_the_connection() -> None:
    loaded = policy("""
        on_http_request:
          - actions:
              - {type: set-vars, config: {vars: [{tier: gold}]}}
              - {type: restrict-ips, config: {deny: [203.0.113.7], enforce: false}}
        on_http_response:
          - expressions: [vars.tier == null, actions.ngrok.restrict_ips.action == 'deny']
            actions: [{type: custom-response, config: {status_code: 418}}]
    """)
    on = exchanges.exchange()
    decide(loaded, on)
    assert on.vars == {"tier": "gold"}
    decision = decide(loaded, on, Phase.ON_HTTP_RESPONSE)
    assert decision.outcome == Continue() or isinstance(decision.outcome, Respond)
    assert isinstance(decision.outcome, Respond)
    assert decision.outcome.status_code == 418


@pytest.mark.parametrize(
    "expression",
    [
        "1 / int(req.url.query_params['n'][0]) == 1",
        "int(req.host) == 1 && req.method == 'GET'",
    ],
)
def test_an_expression_that_fails_ends_the_request(expression: str) -> None:
    """T-EX-7."""
    loaded = policy(f"""
        on_http_request:
          - expressions: ["{expression}"]
            actions: [{{type: add-headers, config: {{headers: {{x: y}}}}}}]
    """)
    decision = decide(loaded, exchanges.exchange())
    assert isinstance(decision.outcome, Respond)
    assert decision.outcome.status_code == 500
    assert decision.outcome.error_code == "ERR_NGROK_2254"
    assert decision.reason == "expression-failed"
    assert not decision.outcome.runs_response_phase


def test_an_expression_that_fails_closes_a_new_connection() -> None:
    """T-EX-7."""
    loaded = policy("""
        on_tcp_connect:
          - expressions: ["int(conn.client_ip) == 1"]
            actions: [{type: deny}]
    """)
    decision = decide(loaded, exchanges.exchange(), Phase.ON_TCP_CONNECT)
    assert isinstance(decision.outcome, Close)
    assert decision.outcome.error_code == "ERR_NGROK_2254"


def test_an_interpolation_that_fails_ends_the_request() -> None:
    loaded = policy("""
        on_http_request:
          - actions: [{type: add-headers, config: {headers: {x: "${int(req.host)}"}}}]
    """)
    trace = Trace()
    decision = decide(loaded, exchanges.exchange(), trace=trace)
    assert isinstance(decision.outcome, Respond)
    assert decision.outcome.error_code == "ERR_NGROK_2238"
    assert decision.reason == "interpolation-failed"
    assert trace.rules[0].actions[0].error is not None


def test_a_failing_part_of_a_log_entry_is_empty_and_noted() -> None:
    loaded = policy("""
        on_http_request:
          - actions: [{type: log, config: {metadata: {n: "${int(req.host)}", m: "${req.method}"}}}]
    """)
    on = exchanges.exchange()
    assert decide(loaded, on).outcome == Continue()
    assert on.logs[0]["metadata"]["m"] == "GET"
    assert len(on.warnings) == 1


def test_names_that_the_policy_sets_are_taken_from_the_client_before_any_rule() -> None:
    loaded = policy("""
        on_http_request:
          - expressions: ["req.url.path == '/never'"]
            actions: [{type: add-headers, config: {headers: {x-user: someone}}}]
        on_http_response:
          - actions: [{type: add-headers, config: {headers: {x-served-by: us}}}]
    """)
    sent = [("X-User", "forged"), ("x_user", "forged"), ("X-Served-By", "client")]
    on = exchanges.exchange(exchanges.request(headers=sent))
    begin_request(loaded, on)
    assert on.request is not None
    assert on.request.headers.lines == [("Host", "orders.example.com"), ("X-Served-By", "client")]


def test_before_there_is_a_request_nothing_is_stripped() -> None:
    on = exchanges.exchange()
    on.request = None
    begin_request(policy(""), on)
    assert on.request is None


class NoFields(ActionConfig):
    """An action without configuration."""


def ask(_config: NoFields, exchange: Exchange) -> Any:
    body = yield ReadBody(limit_bytes=10)
    moment = yield Now()
    exchange.vars["seen"] = (body, moment)
    outcome: Outcome[Any] = Close(reason="asked")
    return outcome


ASKING = Language(
    actions={
        "ask": Action(
            name="ask",
            phases=ALL_PHASES - {Phase.ON_TCP_CONNECT},
            config=NoFields,
            run=ask,
            effects=True,
        )
    }
)


def test_effects_are_handed_out_and_their_answers_come_back() -> None:
    on = exchanges.exchange()
    loaded = policy("on_http_request: [{actions: [{type: ask}]}]", ASKING)
    run = run_phase(loaded, Phase.ON_HTTP_REQUEST, on)
    assert next(run) == ReadBody(limit_bytes=10)
    assert run.send(b"body") == Now()
    with pytest.raises(StopIteration) as stopped:
        run.send(7)
    assert stopped.value.value.reason == "asked"
    assert on.vars["seen"] == (b"body", 7)


def pause(_config: NoFields, _exchange: Exchange) -> Any:
    yield Now()
    outcome: Outcome[Any] = Continue()
    return outcome


PAUSING = Language(
    actions={
        **LANGUAGE.actions,
        "pause": Action(name="pause", phases=HTTP_PHASES, config=NoFields, run=pause, effects=True),
    }
)


def test_what_follows_an_effect_runs_as_what_comes_before_it() -> None:
    loaded = policy(
        """
        on_http_request:
          - actions: [{type: set-vars, config: {vars: [{first: 1}]}}]
          - actions:
              - {type: pause}
              - {type: set-vars, config: {vars: [{second: "${vars.first + 1}"}]}}
          - expressions: ["vars.second == 3"]
            actions: [{type: deny}]
          - expressions: ["vars.second == 2"]
            name: after
            actions: [{type: pause}, {type: deny, config: {status_code: 418}}]
        """,
        PAUSING,
    )
    on = exchanges.exchange()
    run = begin_phase(loaded, Phase.ON_HTTP_REQUEST, on)
    assert not isinstance(run, Decision)
    assert next(run) == Now()
    assert run.send(1) == Now()
    with pytest.raises(StopIteration) as stopped:
        run.send(2)
    decision: Decision = stopped.value.value
    assert decision.rule is not None
    assert (decision.rule.name, decision.action) == ("after", "deny")


def test_a_phase_without_effects_is_decided_at_once() -> None:
    decision = begin_phase(policy(""), Phase.ON_HTTP_REQUEST, exchanges.exchange())
    assert isinstance(decision, Decision)


class UntilConfig(ActionConfig):
    until: int | None = None


def test_a_decision_holds_until_the_earliest_time_that_an_action_gave() -> None:
    def run(config: UntilConfig, _exchange: Exchange) -> Outcome[None]:
        return Continue(admitted_until_ns=config.until)

    until = Action(name="until", phases=ALL_PHASES, config=UntilConfig, run=run)
    language = Language(actions={"until": until})
    loaded = policy(
        """
        on_http_request:
          - actions:
              - {type: until, config: {until: 30}}
              - {type: until, config: {until: 10}}
              - {type: until, config: {until: 20}}
              - {type: until}
        """,
        language,
    )
    on = exchanges.exchange()
    assert on.admitted_until_ns is None
    decide(loaded, on)
    assert on.admitted_until_ns == 10
