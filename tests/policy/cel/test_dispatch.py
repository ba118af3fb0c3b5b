"""Calls whose overload is chosen when they run."""

from __future__ import annotations

from typing import Any

import pytest

from policy.cel import CelError
from policy.cel.values import Duration
from tests.policy.cel.requests import assert_gives, value_of


@pytest.mark.parametrize(
    ("text", "value", "wanted"),
    [
        ("type(test.any) == map", {"a": 1}, True),
        ("test.any.size()", [1, 2], 2),
        ("test.any.size()", {"a": 1}, 1),
        ("test.any.contains('a')", ["xa"], True),
        ("test.any.contains('a')", "xa", True),
        ("test.any.encodeQueryString()", {"k": 1}, "k=1"),
        ("test.any.encodeJson()", ("a", 1), '["a",1]'),
        ("string(test.any)", False, "false"),
        ("test.any.getHours()", Duration(ns=3600000000000), 1),
    ],
    ids=str,
)
def test_a_value_of_unknown_type_does_what_its_type_does(
    text: str, value: Any, wanted: Any
) -> None:
    assert_gives(text, wanted, test_any=value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("test.any.size()", 1),
        ("test.any in test.any", 1),
        ("type(test.any)", object()),
        ("string(test.any)", [1]),
        ("test.any.getHours()", 1),
    ],
)
def test_a_value_that_no_overload_takes_is_an_error(text: str, value: Any) -> None:
    with pytest.raises(CelError):
        value_of(text, test_any=value)
