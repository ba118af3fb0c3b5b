"""The work budget."""

from __future__ import annotations

from typing import Any

import pytest

from policy.cel import CelError, Limits
from policy.cel.work import Work, weight_of


def test_the_budget_may_be_used_up_but_not_exceeded() -> None:
    work = Work(Limits(work=10))
    work.spend(10)
    with pytest.raises(CelError) as failed:
        work.spend(1)
    assert failed.value.code == "work-budget"


@pytest.mark.parametrize("items", [[1, 2], (1, 2), {1: 1, 2: 2}], ids=str)
def test_a_loop_is_charged_for_each_turn_before_the_first(items: Any) -> None:
    work = Work(Limits(work=100))
    assert work.loop(items, 10) is items
    assert work.left == 79


@pytest.mark.parametrize("items", ["ab", 1, None], ids=str)
def test_what_is_no_list_or_map_has_no_loop(items: Any) -> None:
    with pytest.raises(CelError) as failed:
        Work(Limits()).loop(items, 1)
    assert failed.value.code == "no-such-overload"


def test_a_value_is_charged_for_its_size() -> None:
    work = Work(Limits(work=1_000))
    assert work.sized("a" * 2_048, 3) == "a" * 2_048
    assert work.left == 1_000 - 7
    assert work.sized(5, 3) == 5
    assert work.left == 1_000 - 7


def test_what_grows_beyond_the_limit_is_refused() -> None:
    work = Work(Limits(max_string=64))
    work.grow(64)
    with pytest.raises(CelError) as failed:
        work.grow(65)
    assert failed.value.code == "value-too-big"


def test_long_texts_weigh_more_than_short_ones() -> None:
    assert weight_of([1, "a"]) < weight_of(["a" * 10_000]) < weight_of([b"a" * 100_000])
