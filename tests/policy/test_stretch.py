"""Rules that are asked together, and where one may begin to ask."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions import LANGUAGE
from policy.action import Continue
from policy.cel import Limits, Part, RuleError, compile_condition
from policy.engine import begin_phase
from policy.load import load_policy
from policy.phase import Phase
from policy.stretch import MAX_RULES, StretchWriter
from policy.trace import Trace
from policy.variables import activation, environment
from tests import exchanges
from tests.policy.test_compiled import NAMES

MISS = "req.method == 'PUT'"


def part(text: str = MISS) -> list[Part]:
    return [compile_condition(text, NAMES)[1]]


def written(*rules: tuple[list[Part], bool]) -> StretchWriter:
    writer = StretchWriter()
    for conditions, ends_phase in rules:
        writer.add(conditions, ends_phase=ends_phase)
    writer.finish()
    return writer


def ends(writer: StretchWriter) -> dict[int, int]:
    return {position: stretch.end for position, stretch in writer.stretches.items()}


def test_rules_that_end_the_phase_have_one_entry() -> None:
    assert ends(written(*[(part(), True) for _ in range(3)])) == {0: 3}


def test_one_enters_behind_a_rule_that_goes_on() -> None:
    writer = written((part(), True), (part(), False), (part(), True), (part(), True))
    assert ends(writer) == {0: 4, 2: 4}
    assert writer.stretches[0] is writer.stretches[2]


def test_a_rule_without_conditions_stands_between_stretches() -> None:
    assert ends(written((part(), True), ([], False), (part(), True))) == {0: 1, 2: 3}


def test_a_stretch_has_a_greatest_length() -> None:
    writer = written(*[(part(), True) for _ in range(MAX_RULES + 2)])
    assert ends(writer) == {0: MAX_RULES, MAX_RULES: MAX_RULES + 2}


def test_positions_are_those_of_the_phase() -> None:
    writer = written(([], False), (part(), True), (part("1 / size(req.url.query) == 1"), True))
    with pytest.raises(RuleError) as failed:
        writer.stretches[1].first_match(activation(exchanges.exchange()), 1)
    assert failed.value.position == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("req.method == 'PUT'", True),
        ("req.url.path.startsWith('/a') && conn.client_ip != '10.0.0.1'", True),
        ("req.user_agent.matches('(?i)nikto')", True),
        ("'x-a' in req.headers || hasReqHeader('x-b') || req.headers['x-c'][0] == ''", True),
        ("getReqHeader('x-a').exists(v, v == 'b')", True),
        ("vars.tier == 'gold' && actions.ngrok.basic_auth == null", True),
        ("size(req.headers) > 1", False),
        ("req.method == 'PUT' && req.cookies.exists(name, name == 'a')", False),
        ("req.method == 'PUT' && hasReqCookie('a')", False),
        ("rand.double() < 0.5", False),
        ("time.now == ''", False),
    ],
)
def test_no_activation_is_made_for_what_stands_ready(
    text: str,
    expected: bool,  # noqa: FBT001
) -> None:
    names = environment(Phase.ON_HTTP_REQUEST, LANGUAGE.actions.values(), Limits())
    writer = written(([compile_condition(text, names)[1]], True))
    assert writer.stretches[0].reads_exchange_only is expected
    on = exchanges.exchange()
    values = on if expected else activation(on)
    assert writer.stretches[0].first_match(values, 0) in (0, 1)


def test_one_condition_that_needs_an_activation_makes_its_stretch_have_one() -> None:
    writer = written((part(), True), (part("time.now == ''"), True))
    assert not writer.stretches[0].reads_exchange_only


CONDITION = st.sampled_from(
    [
        "req.method == 'GET'",
        "req.method == 'PUT'",
        "vars.tier == 'gold'",
        "vars.tier == null",
        "hasReqHeader('x-tier')",
        "req.headers['x-tier'][0] == 'one'",
        "req.url.path.startsWith('/new')",
        "size(req.headers['x-tier']) > 1",
        "actions.ngrok.add_headers == null",
        "actions.ngrok.add_headers.headers_added['x-tier'] == 'two'",
        "1 / size(vars.tier) == 1",
        "req.url.path.matches('old|new')",
        "size(req.cookies) == 0 && 'x-tier' in req.headers",
        "req.method == 'GET' && getReqHeader('x-tier').exists(v, v == 'two')",
    ]
)
ACTION = st.sampled_from(
    [
        "{type: set-vars, config: {vars: [{tier: gold}]}}",
        "{type: add-headers, config: {headers: {x-tier: one}}}",
        "{type: add-headers, config: {headers: {x-tier: two}}}",
        "{type: remove-headers, config: {headers: [x-tier]}}",
        "{type: url-rewrite, config: {from: /old, to: /new}}",
        "{type: restrict-ips, config: {deny: [203.0.113.7], enforce: false}}",
    ]
)
ACTIONS = st.one_of(
    st.just(["{type: deny, config: {status_code: 401}}"]),
    st.lists(ACTION, min_size=1, max_size=2),
)
RULES = st.lists(st.tuples(st.lists(CONDITION, max_size=2), ACTIONS), min_size=1, max_size=7)


@settings(max_examples=150, deadline=None)
@given(RULES)
def test_a_phase_decides_as_it_does_rule_by_rule(rules: list[tuple[list[str], list[str]]]) -> None:
    lines = [f"  - expressions: {a!r}\n    actions: [{', '.join(b)}]" for a, b in rules]
    text = "on_http_request:\n" + "\n".join(lines)
    policy = load_policy(text, name="p.yml", language=LANGUAGE)
    assert outcome(policy, None) == outcome(policy, Trace())


def outcome(policy: Any, trace: Trace | None) -> object:
    on = exchanges.exchange(exchanges.request("/old"))
    decision: Any = begin_phase(policy, Phase.ON_HTTP_REQUEST, on, trace)
    rule = None if decision.rule is None else decision.rule.index
    assert on.request is not None
    assert isinstance(decision.outcome, Continue) == (rule is None)
    left = (on.request.headers.lines, on.request.url.text, on.vars, on.results)
    return decision.outcome, rule, decision.action, left
