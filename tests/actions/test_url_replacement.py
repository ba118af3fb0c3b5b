from __future__ import annotations

import pytest

from actions.url_replacement import lint_replacement, replace_in
from policy.config_types import Pending
from policy.regex import Regex
from policy.url import parse_url

URL = parse_url("https://me@app.example.com:8443/old/page?a=1")

REPLACEMENTS = {
    "a group": (r"/old/(\w+)", "/new/$1", "https://me@app.example.com:8443/new/page?a=1"),
    "all matches": ("[ae]", "_", "https://m_@_pp._x_mpl_.com:8443/old/p_g_?_=1"),
    "an unknown group is empty": ("old", "$7x", "https://me@app.example.com:8443/x/page?a=1"),
    "a dollar sign": ("old", "$$1", "https://me@app.example.com:8443/$1/page?a=1"),
    "no match": ("^/old", "/new", "https://me@app.example.com:8443/old/page?a=1"),
    "without a pattern": (None, "/x", "/x"),
    "without a pattern, with a group": (None, "$0&b", f"{URL.text}&b"),
}

FINDINGS = {
    "path pattern": ("^/old", "/new", "pattern-never-matches"),
    "rest in front": ("/old", "https://new.example/", "partial-match-with-absolute-target"),
    "query": ("/x", "/y?$args", "unknown-replacement-word"),
    "argument": ("/x", "/y?$arg_id", "unknown-replacement-word"),
}

FINE = {
    "from the start": ("^https?://[^/]+/old", "https://new.example"),
    "from the start in groups": ("^(https?)://", "https://"),
    "everything": ("(?i).*", "https://new.example/"),
    "any scheme": (r"\w+://x", "https://new.example/"),
    "a path for a path": ("/old", "/new"),
    "no pattern": (None, "https://new.example/"),
    "word in a name": ("/a", "/$hostile"),
}


@pytest.mark.parametrize(("pattern", "to", "expected"), REPLACEMENTS.values(), ids=REPLACEMENTS)
def test_matches_in_the_full_url_are_replaced(pattern: str | None, to: str, expected: str) -> None:
    assert replace_in(URL, Regex(pattern) if pattern else None, to).text == expected


@pytest.mark.parametrize(("pattern", "to", "code"), FINDINGS.values(), ids=FINDINGS)
def test_a_usual_mistake_is_pointed_out(pattern: str, to: str, code: str) -> None:
    assert [finding.code for finding in lint_replacement(Regex(pattern), to)] == [code]


@pytest.mark.parametrize(("pattern", "to"), FINE.values(), ids=FINE)
def test_what_works_gives_no_warning(pattern: str | None, to: str) -> None:
    assert lint_replacement(Regex(pattern) if pattern else None, to) == ()


def test_a_pattern_that_is_still_a_template_is_looked_at_too() -> None:
    findings = lint_replacement(Pending("^/${vars.x}"), "/y")  # type: ignore[arg-type] # at load
    assert [finding.code for finding in findings] == ["pattern-never-matches"]


def test_an_nginx_word_comes_with_its_expression() -> None:
    [known] = lint_replacement(None, "$scheme://x")
    [unknown] = lint_replacement(None, "/$arg_id")
    assert known.hint == "write ${req.url.scheme}"
    assert unknown.hint == "write an expression in ${...}"
