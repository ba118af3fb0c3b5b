"""Remedies for names that this language lacks."""

from __future__ import annotations

import re

import pytest

from policy.cel import STANDARD_FUNCTIONS, ExpressionError
from policy.cel.hints import FUNCTION_HINTS, VARIABLE_HINTS
from tests.policy.cel.requests import REQUEST, compiled

FUNCTION_NAMES = {function.name for function in STANDARD_FUNCTIONS}


def hint_of(text: str) -> str | None:
    with pytest.raises(ExpressionError) as refused:
        compiled(text)
    return refused.value.findings[0].hint


@pytest.mark.parametrize("name", VARIABLE_HINTS)
def test_a_name_from_elsewhere_gets_its_remedy(name: str) -> None:
    if not REQUEST.is_namespace(name):
        assert hint_of(f"{name} == 'x'") == VARIABLE_HINTS[name]


@pytest.mark.parametrize("name", FUNCTION_HINTS)
def test_a_function_from_elsewhere_gets_its_remedy(name: str) -> None:
    assert name not in FUNCTION_NAMES
    assert hint_of(f"{name}('x')") == FUNCTION_HINTS[name]


@pytest.mark.parametrize("hint", FUNCTION_HINTS.values())
def test_a_remedy_names_functions_that_there_are(hint: str) -> None:
    named = re.findall(r"([A-Za-z][A-Za-z0-9]*(?:\.[a-z]+)?)\(", hint)
    assert [
        name for name in named
        if name not in FUNCTION_NAMES and name.rpartition(".")[2] not in FUNCTION_NAMES
    ] == []  # fmt: skip
