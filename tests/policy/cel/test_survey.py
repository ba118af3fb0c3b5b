"""How much work an expression can be: only what may exceed the budget keeps accounts."""

from __future__ import annotations

import pytest

from policy.cel import Limits
from policy.cel.check import check_expression
from policy.cel.parse import parse_expression
from policy.cel.survey import needs_accounts, size_of
from policy.cel.typed import TypedNode
from tests.policy.cel.requests import REQUEST


def checked(text: str) -> TypedNode:
    tree, _ = parse_expression(text, Limits())
    return check_expression(tree, REQUEST, None)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("req.url.path.startsWith('/admin') && req.method == 'POST'", False),
        ("req.headers['a'][0] == 'b'", False),
        ("test.numbers.exists(n, n == 1)", True),
        ("vars.a == vars.b", True),
        ("vars.a == 'b'", False),
        ("'a' in vars.b", True),
        ("test.numbers == [1, 2]", True),
        (" && ".join(["test.text.matches('a+')"] * 50), True),
    ],
    ids=lambda value: str(value)[:40],
)
def test_only_loops_tangles_and_long_conditions_keep_accounts(
    text: str,
    expected: bool,  # noqa: FBT001
) -> None:
    assert needs_accounts(checked(text), Limits()) is expected


def test_a_small_budget_makes_everything_keep_accounts() -> None:
    assert needs_accounts(checked("req.method == 'GET'"), Limits(work=100))


def test_a_tree_is_as_big_as_its_parts() -> None:
    assert size_of(checked("req.method == 'GET'")) == 3
    assert size_of(checked("test.numbers.exists(n, n == 1)")) == 5
