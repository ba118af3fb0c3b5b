"""Doubts about expressions that are correct. The messages stand in tests/cases/cel/doubts.txt."""

from __future__ import annotations

import pytest

from policy.cel.types import BOOL
from tests.policy.cel.requests import compiled


def doubts(text: str) -> list[str]:
    return [finding.code for finding in compiled(text, expect=BOOL).warnings]


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "1 < 2",
        "'a' in ['a', 'b']",
        "req.method == 'GET' || true",
        "1 == 1 ? req.method == 'A' : true",
    ],
)
def test_a_condition_that_never_varies_is_doubted(text: str) -> None:
    assert doubts(text) == ["constant-condition"]


@pytest.mark.parametrize(
    "text",
    ["rand.double() < 0.5", "rand.int() == rand.int()", "[1].exists(x, x == 1)", "vars.on == true"],
)
def test_chance_loops_and_variables_vary(text: str) -> None:
    assert doubts(text) == []


@pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">="])
def test_a_comparison_with_itself_is_doubted(operator: str) -> None:
    assert doubts(f"conn.client_port {operator} conn.client_port") == ["constant-condition"]


@pytest.mark.parametrize(
    ("text", "is_doubted"),
    [
        ("req.url.path.matches('/admin')", True),
        ("req.url.path.matches('^/admin')", False),
        ("req.url.path.matches('(?i)^/admin')", False),
        (r"req.url.path.matches(r'\A/admin')", False),
        ("req.host.matches('^example.com')", True),
        ("req.host.matches('^example[.]com$')", False),
        ("conn.client_ip.matches('^10[.]')", True),
        ("req.method.matches('GET')", False),
        ("req.host.matches(vars.pattern)", False),
    ],
)
def test_a_guard_that_matches_anywhere_is_doubted(text: str, is_doubted: bool) -> None:  # noqa: FBT001
    """T-PA-6."""
    assert doubts(text) == (["unanchored-regex"] if is_doubted else [])
