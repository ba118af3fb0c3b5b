"""Functions that ask the request, chance or the operator's secrets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.cel.requests import assert_gives, failure_code


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("getReqHeader('none')[0]", ""),
        ("getReqHeader('x-tag')", ["a", "b"]),
        ("hasReqHeader('HOST')", True),
        ("getQueryParam('q')[0] == '1' && hasQueryParam('q')", True),
        ("hasReqCookie('session')", True),
        ("rand.double()", 0.25),
        ("rand.int()", 1),
        ("rand.int(3, 9)", 9),
        ("secrets.get('main', 'key')", "s3cret"),
    ],
    ids=str,
)
def test_functions_read_the_request(text: str, wanted: Any) -> None:
    assert_gives(text, wanted)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("rand.int(2, 1)", "bad-argument"),
        ("secrets.get('main', 'none')", "unknown-secret"),
    ],
    ids=str,
)
def test_what_can_not_be_given_is_an_error(text: str, code: str) -> None:
    assert failure_code(text) == code
