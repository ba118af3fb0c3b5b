"""A policy that is ready to run."""

from __future__ import annotations

import pytest

from policy.cel import CelError, Limits, compile_expression
from policy.cel.types import BOOL
from policy.compiled import CompiledRule, Policy
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
