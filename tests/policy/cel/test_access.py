"""Reads: fields, elements and has(), of what is there and of what is not."""

from __future__ import annotations

from typing import Any

import pytest

from policy.cel import CelError
from tests.policy.cel.requests import assert_gives, failure_code, value_of


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("req.headers['x-none']", []),
        ("req.headers['x-none'][0]", ""),
        ("req.headers['x-none'][3]", ""),
        ("req.headers['X-Tag'][1]", "b"),
        ("req.headers['X-' + 'TAG'][1]", "b"),
        ("'X-Tag' in req.headers", True),
        ("has(req.headers['X-Tag'])", True),
        ("has(req.headers.host)", True),
        ("req.url.query_params['none'][0]", ""),
        ("req.url.query_params['q'][0]", "1"),
        ("vars.unset", None),
        ("vars.unset == 'a'", False),
        ("vars.unset != 'a'", True),
        ("has(vars.unset)", False),
        ("actions.ngrok.restrict_ips.action", None),
        ("actions.ngrok.restrict_ips.error.code", None),
        ("actions.ngrok.restrict_ips.action == 'deny'", False),
        ("has(actions.ngrok.restrict_ips.action)", False),
        ("req.ts.body_received == null", True),
    ],
    ids=str,
)
def test_missing_request_data_reads_as_nothing(text: str, wanted: Any) -> None:
    assert_gives(text, wanted)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("vars.unset.startsWith('a')", "no-such-overload"),
        ("vars.a.b.c", "no-such-key"),
        ("vars.unset.field", "null-value"),
        ("actions.ngrok.restrict_ips.action.startsWith('a')", "no-such-overload"),
        ("test.numbers[3]", "index-out-of-range"),
        ("{'a': 1}['b']", "no-such-key"),
    ],
    ids=str,
)
def test_reading_what_can_not_be_there_is_an_error(text: str, code: str) -> None:
    assert failure_code(text, vars={"a": {}}) == code


@pytest.mark.parametrize(
    ("text", "value", "wanted"),
    [
        ("test.any[0]", [7], 7),
        ("test.any[1u]", [7, 8], 8),
        ("test.any['k']", {"k": 1}, 1),
        ("has(test.any.k) || has(test.any['k'])", {"j": 1}, False),
        ("has(test.any[1])", [1], False),
        ("has(test.any.k)", None, False),
        ("has(test.any[0])", None, False),
    ],
    ids=str,
)
def test_a_value_of_unknown_type_is_read_as_what_it_is(text: str, value: Any, wanted: Any) -> None:
    assert_gives(text, wanted, test_any=value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("test.any[0]", 1),
        ("test.any['a']", [1]),
        ("test.any[0.5]", [1]),
        ("test.any.k", 1),
        ("test.any.k", [1]),
        ("has(test.any.k)", 1),
        ("has(test.any[0])", 1),
    ],
    ids=str,
)
def test_a_value_that_has_no_such_part_is_an_error(text: str, value: Any) -> None:
    with pytest.raises(CelError):
        value_of(text, test_any=value)
