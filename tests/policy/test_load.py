"""Loading a document: what is refused, what is warned of, and where each message points."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions import LANGUAGE
from policy import user_agent
from policy.load import LoadOptions, load_policy
from policy.phase import Phase
from policy.problem import PolicyError, Problem, Severity, render_problem
from tests.case_files import case_files, check_case


def rendered(text: str, options: LoadOptions | None = None) -> str:
    """Return all problems of a document as an author sees them."""
    try:
        policy = load_policy(text, name="policy.yml", language=LANGUAGE, options=options)
    except PolicyError as error:
        problems = error.problems
    else:
        problems = policy.warnings
    return "".join(render_problem(problem) + "\n" for problem in problems)


def problems_of(text: str, name: str) -> tuple[Problem, ...]:
    """Return the warnings of a document that loads; raises PolicyError for others."""
    return load_policy(text, name=name, language=LANGUAGE).warnings


@pytest.mark.parametrize("file", case_files("load"))
def test_case(file: Path) -> None:
    check_case(file, problems_of)


def test_a_good_document_is_compiled_phase_by_phase() -> None:
    policy = load_policy(
        "on_http_request: [{actions: [{type: deny}]}]\non_http_response: []\n",
        name="policy.yml",
        language=LANGUAGE,
    )
    assert policy.has(Phase.ON_HTTP_REQUEST)
    assert not policy.has(Phase.ON_HTTP_RESPONSE)
    assert policy.warnings == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "may-not-answer"),
        ("on_http_request: [{expressions: [req.method == 'GET'], actions: [{type: deny}]}]",
         "may-not-answer"),
        ("on_http_request: [{actions: [{type: redirect, config: {from: a, to: b}}]}]",
         "may-not-answer"),
        ("on_http_request: [{actions: [{type: deny}]}]", None),
        ("on_http_request: [{actions: [{type: custom-response, config: {body: x}}]}]", None),
        ("on_http_request: [{actions: [{type: redirect, config: {to: 'https://b.test/'}}]}]", None),
    ],
    ids=["empty", "conditional", "redirect-from", "deny", "custom-response", "redirect-all"],
)  # fmt: skip
def test_an_endpoint_without_upstream_must_answer(text: str, complaint: str | None) -> None:
    found = rendered(text, LoadOptions(must_answer=True))
    assert (complaint in found) if complaint else (found == "")


def test_an_unknown_ip_policy_is_refused_when_the_known_ones_are_given() -> None:
    text = "on_http_request: [{actions: [{type: restrict-ips, config: {ip_policies: [vendr]}}]}]"
    found = rendered(text, LoadOptions(ip_policies=frozenset({"vendor"})))
    assert "policy.yml:1:" in found
    assert "unknown-ip-policy" in found
    assert "did you mean 'vendor'?" in found
    assert rendered(text) == ""


def test_warnings_alone_keep_the_document() -> None:
    policy = load_policy(
        "on_http_request: {actions: [{type: deny}]}", name="policy.yml", language=LANGUAGE
    )
    assert [problem.severity for problem in policy.warnings] == [Severity.WARNING]


KEYS = st.sampled_from(
    ["on_http_request", "on_tcp_connect", "expressions", "actions", "type", "config", "name", "if"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20)
    | st.sampled_from(["deny", "add-headers", "redirect", "${req.host}", "req.method == 'GET'"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=200)
@given(VALUES)
def test_any_document_loads_or_is_refused_with_places(value: object) -> None:
    try:
        load_policy(json.dumps(value), name="policy.yml", language=LANGUAGE)
    except PolicyError as error:
        assert error.problems
        assert all(problem.place.line >= 1 for problem in error.problems)


@pytest.mark.parametrize(
    "rule",
    [
        """{expressions: ["secrets.get('main', 'tokn') == 'x'"], actions: [{type: deny}]}""",
        """{actions: [{type: log, config: {metadata: {a: "x ${secrets.get('main', 'tokn')}"}}}]}""",
    ],
    ids=["expression", "interpolation"],
)
def test_a_secret_that_there_is_not_is_refused(rule: str) -> None:
    """T-FO-1."""
    text = f"on_http_request: [{rule}]"
    options = LoadOptions(known_secret=lambda vault, name: (vault, name) == ("main", "token"))
    found = rendered(text, options)
    column = text.index("secrets.get") + 1
    assert f":1:{column}: unknown-secret: there is no secret 'tokn' in a vault 'main'" in found
    assert rendered(text) == ""
    assert rendered(text.replace("tokn", "token"), options) == ""


def test_progress_is_told_after_each_rule_of_all_phases() -> None:
    told: list[tuple[int, int]] = []
    load_policy(
        "on_tcp_connect: [{actions: [{type: close-connection}]}]\n"
        "on_http_request: [{actions: [{type: deny}]}, {actions: [{type: deny}]}]\n",
        name="policy.yml",
        language=LANGUAGE,
        options=LoadOptions(progress=lambda done, total: told.append((done, total))),
    )
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_no_request_waits_for_the_user_agent_patterns() -> None:
    user_agent.parser.cache_clear()
    for expression, made in [("req.user_agent == 'x'", 0), ("req.user_agent.is_bot", 1)]:
        text = f'on_http_request: [{{expressions: ["{expression}"], actions: [{{type: deny}}]}}]'
        assert rendered(text) == ""
        assert user_agent.parser.cache_info().currsize == made
