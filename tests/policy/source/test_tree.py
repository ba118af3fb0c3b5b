"""What both formats refuse: bombs of aliases, and nesting (T-YA-1)."""

from __future__ import annotations

import pytest

from policy.source.tree import ALIASED_NODES_LIMIT
from tests.policy.source.reading import refusal


def test_an_alias_bomb_is_refused_early() -> None:
    """T-YA-1: by counting what aliases stand for, not by building it."""
    levels = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    levels += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    problem = refusal("\n".join(levels))
    assert problem.code == "too-many-aliases"
    assert problem.place.line == 5
    assert str(ALIASED_NODES_LIMIT) in problem.message


def test_an_alias_can_not_nest_deeper_than_the_limit() -> None:
    deep = "[" * 60 + "x" + "]" * 60
    problem = refusal(f"a: &a {deep}\nb: {'[' * 60}*a{']' * 60}")
    assert problem.code == "nested-too-deep"


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", '{"a":', "[[{"])
def test_deep_nesting_is_refused(opening: str) -> None:
    assert refusal(opening * 20_000).code in {"nested-too-deep", "yaml-syntax", "json-syntax"}
