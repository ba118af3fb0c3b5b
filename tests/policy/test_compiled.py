"""A policy that is ready to run."""

from __future__ import annotations

import pytest

from actions import LANGUAGE
from policy.cel import CelError, Limits, compile_expression
from policy.cel.types import BOOL
from policy.compiled import CompiledRule, Policy
from policy.load import load_policy
from policy.phase import Phase
from policy.variables import activation, environment
from tests import exchanges

VALUES = activation(exchanges.exchange())
NAMES = environment(Phase.ON_HTTP_REQUEST, (), Limits())


def rule(*texts: str) -> CompiledRule:
    conditions = tuple(compile_expression(text, NAMES, expect=BOOL) for text in texts)
    return CompiledRule(index=0, name=None, conditions=conditions, actions=())


def test_a_rule_without_conditions_matches_always() -> None:
    assert rule().matches(VALUES)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["req.method == 'GET'"], True),
        (["req.method == 'GET'", "req.method == 'PUT'"], False),
        (["req.method == 'PUT'", "vars.none.x == 1"], False),
        (["req.method == 'GET'", "req.url.path == '/'"], True),
    ],
    ids=str,
)
def test_all_conditions_hold_or_the_first_false_one_decides(
    texts: list[str],
    expected: bool,  # noqa: FBT001
) -> None:
    assert rule(*texts).matches(VALUES) is expected


def test_a_condition_that_fails_is_no_false_one() -> None:
    failing = rule("req.method == 'GET'", "vars.none.x == 1")
    with pytest.raises(CelError):
        failing.matches(VALUES)


def test_a_phase_without_rules_can_be_skipped() -> None:
    assert not Policy(name="p").has(Phase.ON_HTTP_REQUEST)


EVERYTHING = """
on_http_request:
  - expressions: ["req.method == 'PUT'"]
    actions: [{type: deny}]
  - actions:
      - {type: basic-auth, config: {credentials: ["ada:secret12"]}}
      - {type: add-headers, config: {headers: {x-a: b}}}
      - type: openid-connect
        config: {issuer_url: "https://id.example.com", client_id: a, client_secret: tell-nobody}
"""


def test_a_policy_with_others_keeps_all_else() -> None:
    policy = load_policy(EVERYTHING, name="p", language=LANGUAGE)
    kept = {name for name in dir(policy) if not name.startswith("_") and is_data(policy, name)}
    # What is empty would be kept by whoever forgets it.
    assert len(kept) == 11
    assert all(getattr(policy, name) for name in kept)
    same, other = policy.with_other(), policy.with_other(own_cookies=frozenset({"c"}))
    for name in kept - {"sequences"}:
        assert getattr(same, name) == getattr(policy, name)
        assert name == "own_cookies" or getattr(other, name) == getattr(policy, name)
    assert other.own_cookies == {"c"}
    assert not policy.with_other(rules={}).sequences


def is_data(policy: Policy, name: str) -> bool:
    return not callable(getattr(policy, name))
