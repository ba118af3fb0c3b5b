"""Lists: joined, cut, flattened and sorted."""

from __future__ import annotations

from typing import Any

import pytest

from policy.cel import CelError
from tests.policy.cel.requests import assert_gives, failure_code, value_of


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[].join('-')", ""),
        ("[1, [2]].flatten(0)", [1, [2]]),
        ("lists.range(0)", []),
        ("lists.range(-1)", []),
        ("[1, 2].slice(1, 1)", []),
        ("[b'b', b'a'].sort()", [b"a", b"b"]),
    ],
    ids=str,
)
def test_lists_are_joined_cut_and_sorted(text: str, wanted: Any) -> None:
    assert_gives(text, wanted)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[1].slice(0, 2)", "always-fails"),
        ("[1].flatten(-1)", "always-fails"),
        ("['a', test.any].join()", "no-such-overload"),
        ("[test.any, 1].sort()", "no-such-overload"),
        ("[null].sort()", "always-fails"),
    ],
)
def test_positions_and_items_that_do_not_fit_are_errors(text: str, code: str) -> None:
    assert failure_code(text) == code


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[conn.ts.start, timestamp('2020-01-01T00:00:00Z')].sort()[0].getFullYear()", 2020),
        ("[2.5, 1.5].sort()", [1.5, 2.5]),
        ("[true, false].sort()", [False, True]),
        ("[1, 1.0, 1u, true, 'a', 'a'].distinct().size()", 3),
        ("[[1], [1.0]].distinct()", [[1]]),
        ("[1, 2, 3].slice(1, 3)", [2, 3]),
    ],
)
def test_items_are_ordered_and_told_apart_by_value(text: str, wanted: Any) -> None:
    assert value_of(text) == wanted


def test_equal_keys_keep_their_order_when_sorted() -> None:
    assert value_of("['b1', 'a', 'b2'].sortBy(s, s.charAt(0) == 'b' ? 1 : 0)") == ["a", "b1", "b2"]


def test_sorting_values_of_several_types_is_an_error() -> None:
    with pytest.raises(CelError):
        value_of("[test.any, test.text].sort()")
