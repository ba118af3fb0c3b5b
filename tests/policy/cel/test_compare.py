"""Equality and order across types, as CEL has them."""

from __future__ import annotations

from typing import Any

import pytest

from policy.cel import CelError
from tests.policy.cel.requests import Values, assert_gives, compiled, value_of


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("conn.client_port == 51324.0", True),
        ("conn.client_port < 51324.5", True),
        ("test.uint == 7", True),
        ("dyn(1) == true", False),
        ("dyn(true) == 1", False),
        ("dyn('a') == b'a'", False),
        ("[1, 2.0, 3u] == [1u, 2, 3.0]", True),
        ("dyn([1, true]) == dyn([1, 1])", False),
        ("{'a': [1]} == {'a': [1.0]}", True),
        ("{true: 'a'} == {true: 'a'}", True),
        ("dyn({1: 'a'}) == dyn({true: 'a'})", False),
        ("dyn(true) in {1: 'a'}", False),
        ("dyn(true) in [1, 2]", False),
        ("dyn(1) in [true]", False),
        ("test.double / 0.0 > 1e308", True),
        ("double('NaN') == double('NaN')", False),
        ("conn.client_port == '51324'", True),
        ("conn.client_port != '80'", True),
        ("conn.client_port >= '300'", True),
        ("conn.ts.start > timestamp('2026-01-01T00:00:00Z')", True),
        ("duration('1h') == duration('3600s')", True),
        ("type(test.uint) == uint && type(vars) == map", True),
        ("req.method in ['GET', 'HEAD'] && conn.client_port in [1, 51324]", True),
        ("req.method in ['GET'] && !(req.method in [])", True),
        ("test.any in test.numbers", False),
    ],
    ids=str,
)
def test_comparison(text: str, wanted: Any) -> None:
    assert_gives(text, wanted)


@pytest.mark.parametrize(
    ("text", "value", "wanted"),
    [
        ("test.any < 2", 1.5, True),
        ("test.any >= 'a'", "b", True),
    ],
    ids=str,
)
def test_values_of_unknown_type_are_compared_as_what_they_are(
    text: str, value: Any, wanted: Any
) -> None:
    assert_gives(text, wanted, test_any=value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("test.any < 1", None),
    ],
    ids=str,
)
def test_values_without_an_order_are_errors(text: str, value: Any) -> None:
    with pytest.raises(CelError):
        value_of(text, test_any=value)


def test_a_text_that_is_no_number_is_unequal_to_any() -> None:
    expression = compiled("conn.client_port == test.text")
    assert expression.evaluate(Values(test_text="x")) is False
    assert expression.evaluate(Values(test_text="51324")) is True
    with pytest.raises(CelError):
        compiled("conn.client_port < test.text").evaluate(Values(test_text="x"))
