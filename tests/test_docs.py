"""The reference pages are what the code says now, and leave nothing out."""

from __future__ import annotations

import ast
import re
import sys
from typing import Any

import pytest

from actions import ACTIONS, LANGUAGE
from penstock.reference import reference_pages
from penstock.reference_actions import docstring
from policy.action import Action, ActionConfig
from policy.cel.declarations import Function, Variable
from policy.cel.functions import STANDARD_FUNCTIONS
from policy.config.shape import model_shape
from policy.load import load_policy
from policy.source import parse_source
from policy.variables import declarations
from proxy.config import plan_of
from tests.console import ROOT

REFERENCE = ROOT / "docs" / "reference"
SOURCES = [
    path
    for package in ("policy", "actions", "proxy", "penstock")
    for path in sorted((ROOT / package).rglob("*.py"))
]
TREES = [ast.parse(path.read_text("utf-8")) for path in SOURCES]
ERROR_CODE = re.compile(r"ERR_NGROK_\d+")
CODE = re.compile(r"[a-z]+(-[a-z0-9]+)*")
YAML_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


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
    config: type[ActionConfig] = action.config
    assert [field.key for field in model_shape(config).fields if not field.doc] == []


@pytest.mark.parametrize("variable", declarations(()), ids=lambda variable: variable.name)
def test_a_variable_says_what_it_is(variable: Variable) -> None:
    assert variable.doc
    assert f"| `{variable.name}` |" in reference_pages()["variables.md"]


@pytest.mark.parametrize("function", STANDARD_FUNCTIONS, ids=lambda function: function.name)
def test_a_function_says_what_it_does(function: Function) -> None:
    assert function.doc or function.alias_of
    assert function.name in reference_pages()["functions.md"]


def words_in(page: str) -> set[str]:
    return set(re.findall(r"`([\w-]+)`", (ROOT / "docs" / page).read_text("utf-8")))


def constants(arguments: list[ast.expr]) -> set[str]:
    texts = {each.value for each in arguments if isinstance(each, ast.Constant)}
    return {text for text in texts if isinstance(text, str) and CODE.fullmatch(text)}


def codes_given_to(names: set[str], keywords: set[str]) -> set[str]:
    """Return the codes that calls in the source are given, by position or by keyword."""
    found: set[str] = set()
    for call in (node for tree in TREES for node in ast.walk(tree) if isinstance(node, ast.Call)):
        called = call.func.id if isinstance(call.func, ast.Name) else ""
        found |= constants([each.value for each in call.keywords if each.arg in keywords])
        if called in names:
            found |= constants(call.args)
    return found


def test_every_error_code_that_is_sent_or_referred_to_is_documented() -> None:
    documented = {word for word in words_in("error-codes.md") if ERROR_CODE.fullmatch(word)}
    used = {code for path in SOURCES for code in ERROR_CODE.findall(path.read_text("utf-8"))}
    assert used - documented == set()
    assert documented - used == set()


def test_every_problem_code_is_documented() -> None:
    used = codes_given_to({"refusal", "Lint", "InvalidConstantError"}, {"code"})
    assert len(used) > 80
    assert used - words_in("error-codes.md") == set()


def test_every_reason_code_is_documented() -> None:
    raised = {
        "BadRequest", "BadResponse", "FrameViolation", "GrammarError", "Refusal", "TurnedAway",
        "UrlError",
    }  # fmt: skip
    used = codes_given_to(raised, {"reason"})
    assert len(used) > 50
    assert used - words_in("reason-codes.md") == set()


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.name)
def test_every_reason_of_an_action_is_documented(action: Action[Any]) -> None:
    module = vars(sys.modules[action.run.__module__])
    named = [value for name, value in module.items() if name.isupper() and isinstance(value, str)]
    reasons = {value for value in named if CODE.fullmatch(value)}
    assert reasons - words_in("reason-codes.md") - words_in("error-codes.md") == set()


def yaml_blocks() -> list[str]:
    pages = sorted((ROOT / "docs").glob("*.md"))
    return [text for page in pages for text in YAML_BLOCK.findall(page.read_text("utf-8"))]


def test_policies_and_configurations_in_the_guides_are_accepted() -> None:
    policies = [text for text in yaml_blocks() if text.startswith("on_")]
    configurations = [text for text in yaml_blocks() if "\nendpoints:" in text]
    assert policies
    assert configurations
    for text in policies:
        assert load_policy(text, name="guide", language=LANGUAGE).warnings == ()
    for text in configurations:
        root = parse_source(text, name="guide")
        assert plan_of(root, name="guide", folder=ROOT).problems == ()
