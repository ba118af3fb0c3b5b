"""Secrets that an expression names are known at load, wherever in it they stand (T-YA-9)."""

from __future__ import annotations

import pytest

from policy.cel import ExpressionError
from tests.policy.cel.requests import compiled


def is_known(vault: str, name: str) -> bool:
    return (vault, name) == ("main", "key")


@pytest.mark.parametrize(
    "text",
    [
        "secrets.get('main', 'none') == ''",
        "req.method == 'GET' ? 'x' : secrets.get('none', 'key')",
        "[{'a': secrets.get('main', 'none')}].exists(x, x.a == '')",
        "has(req.headers[secrets.get('main', 'none')])",
    ],
)
def test_a_missing_secret_is_reported_at_its_call(text: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        compiled(text, known_secret=is_known)
    [finding] = refused.value.findings
    assert finding.code == "unknown-secret"
    assert text[finding.start : finding.end].startswith("secrets.get(")


@pytest.mark.parametrize(
    "text", ["secrets.get('main', 'key') == ''", "secrets.get('main', req.method) == ''"]
)
def test_what_exists_or_only_run_time_knows_is_accepted(text: str) -> None:
    assert compiled(text, known_secret=is_known).warnings == ()


def test_without_knowledge_every_name_is_accepted() -> None:
    assert compiled("secrets.get('none', 'none') == ''").warnings == ()
