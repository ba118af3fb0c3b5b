"""The reference pages are what the code says now, and leave nothing out."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import pytest

from actions import ACTIONS
from penstock.reference import reference_pages
from penstock.reference_actions import docstring
from policy.action import Action
from policy.cel.declarations import Function, Variable
from policy.cel.functions import STANDARD_FUNCTIONS
from policy.config.shape import model_shape
from policy.variables import declarations
from proxy.limits import Limits
from tests.console import ROOT

REFERENCE = ROOT / "docs" / "reference"
SOURCES = [
    path
    for package in ("policy", "actions", "proxy", "penstock")
    for path in sorted((ROOT / package).rglob("*.py"))
]
ERROR_CODE = re.compile(r"ERR_NGROK_\d+")


@pytest.mark.parametrize("name", sorted(reference_pages()))
def test_a_generated_page_is_fresh(name: str) -> None:
    written = (REFERENCE / name).read_text("utf-8")
    assert written == reference_pages()[name], "run `make docs`"


def test_there_is_no_other_page_among_the_generated_ones() -> None:
    assert {path.name for path in REFERENCE.iterdir()} == set(reference_pages())


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.name)
def test_an_action_says_what_it_is_for(action: Action[Any]) -> None:
    assert docstring(action).startswith(f"{action.name}: ")
    assert f"## {action.name}\n" in reference_pages()["actions.md"]


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.name)
def test_every_field_of_an_action_has_a_sentence(action: Action[Any]) -> None:
    assert [field.key for field in model_shape(action.config).fields if not field.doc] == []


@pytest.mark.parametrize("variable", declarations(()), ids=lambda variable: variable.name)
def test_a_variable_says_what_it_is(variable: Variable) -> None:
    assert variable.doc
    assert f"| `{variable.name}` |" in reference_pages()["variables.md"]


@pytest.mark.parametrize("function", STANDARD_FUNCTIONS, ids=lambda function: function.name)
def test_a_function_says_what_it_does(function: Function) -> None:
    assert function.doc or function.alias_of
    assert function.name in reference_pages()["functions.md"]


def test_every_error_code_that_is_sent_or_referred_to_is_documented() -> None:
    documented = set(ERROR_CODE.findall((ROOT / "docs/error-codes.md").read_text("utf-8")))
    used = {code for path in SOURCES for code in ERROR_CODE.findall(path.read_text("utf-8"))}
    assert used - documented == set()
    assert documented - used == set()


def test_every_limit_is_explained() -> None:
    guide = (ROOT / "docs/configuration.md").read_text("utf-8")
    assert [each.name for each in fields(Limits) if f"`{each.name}`" not in guide] == []
