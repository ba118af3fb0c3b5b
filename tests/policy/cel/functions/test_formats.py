"""`format`: the verbs, and what they do not take."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.cel.requests import assert_gives, failure_code


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("'%s %s %s'.format([null, true, 1u])", "null true 1"),
        ("'%%%d'.format([5])", "%5"),
        ("'%b %o %X'.format([-5, 8, 'hi'])", "-101 10 6869"),
        ("'%e'.format([1234.5])", "1.234500e+03"),
        ("'%s'.format([[1.0, 'a', b'b', {'k': 2}]])", "[1, a, b, {k: 2}]"),
    ],
    ids=str,
)
def test_a_value_is_written_by_its_verb(text: str, wanted: Any) -> None:
    assert_gives(text, wanted)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("'%d'.format(['a'])", "always-fails"),
        ("'%d'.format([])", "always-fails"),
        ("'%q'.format([1])", "always-fails"),
        ("'%f'.format([null])", "always-fails"),
        ("'%.200f'.format([1.0])", "always-fails"),
        ("'%x'.format([1.5])", "always-fails"),
    ],
)
def test_a_value_that_a_verb_does_not_take_is_an_error(text: str, code: str) -> None:
    assert failure_code(text) == code
