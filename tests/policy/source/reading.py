"""Reads small documents for tests."""

from __future__ import annotations

from typing import Any

import pytest

from policy.problem import PolicyError, Problem
from policy.source import Mapping, Node, Scalar, Sequence, parse_source


def plain(node: Node | None) -> Any:
    match node:
        case None:
            return None
        case Scalar():
            return node.value
        case Sequence():
            return [plain(item) for item in node.items]
        case Mapping():
            return {key.text: plain(value) for key, value in node.entries}


def refusal(data: bytes | str, **options: Any) -> Problem:
    with pytest.raises(PolicyError) as refused:
        parse_source(data, name="p.yml", **options)
    return refused.value.problems[0]


def sequence(text: str) -> Sequence:
    node = parse_source(text, name="p.yml")
    assert isinstance(node, Sequence)
    return node


def codes_of(error: PolicyError) -> list[str]:
    assert error.problems
    return [problem.code for problem in error.problems]
