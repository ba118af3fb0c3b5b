"""A policy that is ready to run."""

from __future__ import annotations

import pytest

from policy.cel import CelError, Expression, Limits, compile_expression
from policy.cel.types import BOOL
from policy.compiled import Policy, conjunction
from policy.phase import Phase
from policy.variables import activation, environment
from tests import exchanges

VALUES = activation(exchanges.exchange())
NAMES = environment(Phase.ON_HTTP_REQUEST, (), Limits())


def conditions(*texts: str) -> tuple[Expression, ...]:
    return tuple(compile_expression(text, NAMES, expect=BOOL) for text in texts)


def test_a_rule_without_conditions_has_nothing_to_ask() -> None:
    assert conjunction(()) is None


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
    test = conjunction(conditions(*texts))
    assert test is not None
    assert test(VALUES) is expected


def test_a_condition_that_fails_is_no_false_one() -> None:
    test = conjunction(conditions("req.method == 'GET'", "vars.none.x == 1"))
    assert test is not None
    with pytest.raises(CelError):
        test(VALUES)


def test_a_phase_without_rules_can_be_skipped() -> None:
    assert not Policy(name="p").has(Phase.ON_HTTP_REQUEST)
