"""&&, || and ?: an error counts only where the rest decides nothing."""

from __future__ import annotations

from typing import Any

import pytest

from policy.cel import CelError
from tests.policy.cel.requests import assert_gives, value_of


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("vars.bad > 1 && false", False),
        ("false && vars.bad > 1", False),
        ("vars.bad > 1 || true", True),
        ("true || vars.bad > 1", True),
        ("(vars.bad > 1 || vars.bad > 2) || req.method == 'GET'", True),
        ("test.numbers.exists(n, 6 / (n - 3) == -3)", True),
        ("test.numbers.all(n, 6 / (n - 3) == 7)", False),
    ],
)
def test_an_error_counts_only_where_the_rest_decides_nothing(text: str, wanted: object) -> None:
    assert value_of(text) is wanted


@pytest.mark.parametrize(
    "text", ["vars.bad > 1 && true", "false || vars.bad > 1", "vars.bad > 1 ? true : true"]
)
def test_an_error_that_decides_is_raised(text: str) -> None:
    with pytest.raises(CelError):
        value_of(text)


@pytest.mark.parametrize(
    ("text", "value", "wanted"),
    [
        ("!test.any", True, False),
    ],
    ids=str,
)
def test_a_bool_of_unknown_type_is_one_when_it_runs(text: str, value: Any, wanted: Any) -> None:
    assert_gives(text, wanted, test_any=value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!test.any", 1),
        ("test.any ? 1 : 2", 1),
    ],
    ids=str,
)
def test_what_is_no_bool_is_an_error(text: str, value: Any) -> None:
    with pytest.raises(CelError):
        value_of(text, test_any=value)
