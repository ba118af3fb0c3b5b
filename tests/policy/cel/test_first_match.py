"""Many rules in one function decide as each of them does alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.cel import (
    CelError,
    Expression,
    Limits,
    Part,
    RuleError,
    RuleParts,
    compile_condition,
    compile_first_match,
)
from policy.phase import Phase
from tests.policy.cel.requests import Values, environment

NAMES = environment(Phase.ON_HTTP_RESPONSE)

ATOMS = st.sampled_from(
    [
        "req.method == 'GET'",
        "req.method in ['PUT', 'POST']",
        "req.url.path.startsWith('/admin')",
        "req.url.path.startsWith(test.text)",
        "req.url.path == '/other'",
        "conn.client_port > 0",
        "10 / conn.client_port == 2",
        "test.any",
        "test.any == test.text",
        "test.text.matches('^a')",
        "test.text.matches('b$')",
        "inCidrRange(conn.client_ip, '203.0.113.0/24')",
        "inCidrRange(conn.client_ip, '10.0.0.0/8')",
        "test.numbers.exists(n, n == conn.client_port)",
        "test.numbers.all(n, 6 / n > conn.client_port)",
        "getReqHeader('x-tag').exists(v, v == 'b')",
        "hasReqHeader(test.text)",
        "req.headers['x-tag'][0] == test.text",
        "vars.tier == 'gold'",
        "actions.ngrok.restrict_ips.action == 'deny'",
        "{test.text: req.method, 'a': req.url.path}['a'] == test.text",
        "(req.method == 'GET' ? test.text : req.url.path) == 'a'",
        "size(test.numbers.map(n, n + conn.client_port)) == 3",
        "test.text + req.method == 'aGET'",
    ]
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(lambda p: f"({' '.join(p)})"),
        inner.map(lambda test: f"!({test})"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} ? {p[1]} : {p[2]})"),
    ),
    max_leaves=5,
)
RULES = st.lists(
    st.tuples(st.lists(CONDITIONS, min_size=1, max_size=3), st.booleans()), min_size=1, max_size=6
)
VALUES = st.fixed_dictionaries(
    {
        "req_method": st.sampled_from(["GET", "PUT"]),
        "req_url_path": st.sampled_from(["/admin/x", "/other", "a"]),
        "conn_client_port": st.integers(-1, 5),
        "test_any": st.sampled_from([True, False, None, "a", 1]),
        "test_text": st.sampled_from(["", "a", "ab", "x-tag"]),
        "test_numbers": st.sampled_from([(), (3, 1, 2), (0, 1)]),
    }
)


class Watched(Values):
    """Values that remember which of them were read."""

    def __init__(self, **values: Any) -> None:
        self.seen: set[str] = set()
        super().__init__(**values)

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_") and name != "seen":
            self.seen.add(name)
        return super().__getattribute__(name)


def conditions(texts: Sequence[str]) -> tuple[list[Expression], list[Part]]:
    expressions, parts = zip(*(compile_condition(text, NAMES) for text in texts), strict=True)
    return list(expressions), list(parts)


def one_by_one(rules: list[list[Expression]], values: Values, start: int) -> object:
    """Ask rule by rule; the position, or that of the failure and its code."""
    for position, rule in enumerate(rules[start:], start):
        try:
            if all(condition.evaluate(values) for condition in rule):
                return position
        except CelError as error:
            return position, error.code
    return len(rules)


def together(rules: list[RuleParts], values: Values, start: int) -> object:
    try:
        return compile_first_match(rules, 0)(values, start)
    except RuleError as failed:
        return failed.position, failed.error.code


@settings(max_examples=400, deadline=None)
@given(RULES, VALUES)
def test_rules_together_decide_and_read_as_each_alone(
    rules: list[tuple[list[str], bool]], values: dict[str, Any]
) -> None:
    expressions: list[list[Expression]] = []
    parts: list[RuleParts] = []
    for texts, is_entry in rules:
        alone, joined = conditions(texts)
        expressions.append(alone)
        parts.append(RuleParts(joined, is_entry or not parts))
    for start in (at for at, rule in enumerate(parts) if rule.is_entry):
        one, other = Watched(**values), Watched(**values)
        assert together(parts, one, start) == one_by_one(expressions, other, start)
        assert one.seen == other.seen


def first_match(*rules: str, limits: Limits | None = None) -> Any:
    names = NAMES if limits is None else environment(Phase.ON_HTTP_RESPONSE, limits=limits)
    parts = [RuleParts([compile_condition(rule, names)[1]], is_entry=False) for rule in rules]
    return compile_first_match(parts, 0)


def test_positions_count_from_the_given_one() -> None:
    parts = [RuleParts([compile_condition("req.method == 'GET'", NAMES)[1]], is_entry=True)]
    find = compile_first_match(parts, 7)
    assert find(Values(req_method="GET"), 7) == 7
    assert find(Values(req_method="PUT"), 7) == 8


def test_a_value_is_read_once() -> None:
    class Counting(Values):
        reads = 0

        @property
        def req_url_path(self) -> str:  # type: ignore[override]
            self.reads += 1
            return "/x"

    values = Counting()
    find = first_match("req.url.path == '/a'", "req.url.path == '/b'", "req.url.path == '/c'")
    assert find(values, 0) == 3
    assert values.reads == 1


def test_a_failure_that_nobody_foresaw_is_one_of_its_rule() -> None:
    class Broken(Values):
        @property
        def req_host(self) -> str:  # type: ignore[override]
            raise OSError

    find = first_match("req.method == 'PUT'", "req.host == 'a'")
    with pytest.raises(RuleError) as failed:
        find(Broken(), 0)
    assert failed.value.position == 1
    assert failed.value.error.code == "expression-failed"


def test_each_expression_has_a_work_budget_of_its_own() -> None:
    loop = "test.numbers.exists(n, n == 9)"
    limits = Limits(work=25)
    assert first_match(loop, loop, loop, limits=limits)(Values(), 0) == 3
    with pytest.raises(RuleError) as failed:
        first_match(loop, f"{loop} || {loop}", limits=limits)(Values(), 0)
    assert (failed.value.position, failed.value.error.code) == (1, "work-budget")


def test_a_guard_before_a_loop_spares_the_loop() -> None:
    values = Watched(req_method="GET")
    assert first_match("req.method == 'POST' && test.numbers.exists(n, n == 3)")(values, 0) == 1
    assert "test_numbers" not in values.seen
