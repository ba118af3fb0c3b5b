from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.document import Document, DocumentLimits, read_document
from policy.phase import Phase
from policy.problem import PolicyError, Problem, has_errors
from policy.source import parse_source, read_source
from tests.case_files import case_files, check_case


def document_of(text: str, limits: DocumentLimits | None = None) -> Document:
    return read_document(parse_source(text, name="p.yml"), limits)


def problems_of(text: str, name: str) -> tuple[Problem, ...]:
    limits = DocumentLimits()
    if asked := re.match(r"# limits: rules (\d+), entries (\d+)", text):
        limits = DocumentLimits(rules=int(asked[1]), entries_per_rule=int(asked[2]))
    return read_document(parse_source(text, name=name), limits).problems


@pytest.mark.parametrize("file", case_files("document"))
def test_a_document_gives_exactly_these_messages(file: Path) -> None:
    check_case(file, problems_of)


@pytest.mark.parametrize("text", ["", "# nothing", "null", "---\n...", "{}"])
def test_an_empty_document_is_a_policy_without_rules(text: str) -> None:
    assert document_of(text) == Document(phases={})


def test_rules_arrive_in_order_with_their_parts() -> None:
    document = document_of(
        "on_http_request:\n"
        "  - name: first\n"
        "    expressions: [a, b]\n"
        "    actions: [{type: log, config: {metadata: {}}}, {type: deny}]\n"
        "  - type: deny\n"
    )
    first, second = document.phases[Phase.ON_HTTP_REQUEST]
    assert (first.index, first.name) == (0, "first")
    assert [scalar.text for scalar in first.expressions] == ["a", "b"]
    assert [action.type for action in first.actions] == ["log", "deny"]
    assert [action.config is None for action in first.actions] == [False, True]
    assert (second.index, second.name, second.expressions) == (1, None, ())
    assert [action.type for action in second.actions] == ["deny"]
    assert document.phase_keys[Phase.ON_HTTP_REQUEST].place().line == 1


def test_a_name_may_be_any_scalar() -> None:
    [rule] = document_of("on_http_request: [{name: 012, actions: [{type: deny}]}]").phases[
        Phase.ON_HTTP_REQUEST
    ]
    assert rule.name == "012"


def test_a_broken_rule_hides_no_other() -> None:
    document = document_of("on_http_request: [deny, {actions: [{type: deny}, 3, {type: log}]}]")
    [rule] = document.phases[Phase.ON_HTTP_REQUEST]
    assert rule.index == 1
    assert [action.type for action in rule.actions] == ["deny", "log"]
    assert len(document.problems) == 2


def test_without_limits_any_number_of_rules_is_accepted() -> None:
    rules = "- actions: [{type: deny}]\n" * 500
    assert not document_of(f"on_http_request:\n{rules}").problems


words = st.sampled_from(
    ["on_http_request", "actions", "type", "config", "expressions", "name", "deny", "if", ""]
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 9), words),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
)


@given(st.dictionaries(words, values, max_size=3))
def test_any_shape_is_read_or_reported(value: object) -> None:
    document = read_document(read_source(json.dumps(value), name="p.json").root)
    usable = all(
        rule.actions or has_errors(document.problems)
        for rules in document.phases.values()
        for rule in rules
    )
    assert usable
    assert isinstance(PolicyError(document.problems), PolicyError)
