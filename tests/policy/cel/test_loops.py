"""The macros that go over lists and maps."""

from __future__ import annotations

from typing import Any

import pytest

from policy.cel import CelError
from tests.policy.cel.requests import failure_code, value_of


@pytest.mark.parametrize("value", [[1, 2], (1, 2), {1: "a", 2: "b"}])
def test_a_list_or_the_keys_of_a_map_are_gone_over(value: Any) -> None:
    assert value_of("test.any.all(x, x > 0)", test_any=value) is True


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("test.any.all(x, x)", 1),
        ("test.any.all(x, x)", [1]),
    ],
    ids=str,
)
def test_what_can_not_be_gone_over_is_an_error(text: str, value: Any) -> None:
    with pytest.raises(CelError):
        value_of(text, test_any=value)


def test_macros_may_use_the_same_name_twice() -> None:
    assert value_of("[[1, 2], [3]].map(x, x.map(x, x * 2))") == [[2, 4], [6]]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[3, 1, 2].sortBy(n, -n)", [3, 2, 1]),
        ("['bb', 'a'].sortBy(s, size(s))", ["a", "bb"]),
        ("[1, 2, 3].exists_one(n, n > 2)", True),
        ("[1, 2, 3].filter(n, n % 2 == 1)", [1, 3]),
        ("[1, 2, 3].map(n, n > 1, n * n)", [4, 9]),
        ("[].all(n, false)", True),
        ("[].exists(n, true)", False),
    ],
)
def test_a_macro_gives(text: str, wanted: Any) -> None:
    assert value_of(text) == wanted


@pytest.mark.parametrize("text", ["[1, 'a'].sortBy(x, dyn(x))", "[null].sortBy(x, x)"])
def test_keys_without_a_common_order_are_errors(text: str) -> None:
    assert failure_code(text) == "no-such-overload"
