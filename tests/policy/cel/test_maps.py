"""Map literals: keys of four types, none twice."""

from __future__ import annotations

from typing import Any

import pytest

from policy.cel import CelError
from tests.policy.cel.requests import failure_code, value_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{test.any: 1}", 1.5),
        ("{test.any: 1, 'a': 2}", "a"),
    ],
    ids=str,
)
def test_a_key_of_another_type_is_an_error(text: str, value: Any) -> None:
    with pytest.raises(CelError):
        value_of(text, test_any=value)


@pytest.mark.parametrize("text", ["{'a': 1, test.any: 2}", "{test.any: 1, test.any: 2}"])
def test_a_key_twice_is_an_error(text: str) -> None:
    assert failure_code(text, test_any="a") == "repeated-key"


def test_true_and_one_are_two_keys() -> None:
    assert value_of("{test.any: 'a', 1: 'b'}[true]", test_any=True) == "a"
