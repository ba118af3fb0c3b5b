"""`matches`: RE2, and what a pattern may cost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.cel.requests import assert_gives, failure_code


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("'ABC'.matches('(?i)b')", True),
        ("matches('abc', 'c$')", True),
        ("'é'.matches('^.$')", True),
        ("'a\\nb'.matches('a.b')", False),
        ("test.text.matches('t' + 'ext')", True),
    ],
    ids=str,
)
def test_a_pattern_matches_anywhere(text: str, wanted: Any) -> None:
    assert_gives(text, wanted)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("'a'.matches(test.text + '[')", "invalid-regex"),
        (
            "'a'.matches(test.text.replace('t', '" + "t" * 300 + "'))",
            "regex-too-big",
        ),
    ],
)
def test_a_bad_pattern_of_run_time_is_an_error(text: str, code: str) -> None:
    assert failure_code(text) == code
