from __future__ import annotations

from typing import Any

import pytest

from policy.continuation import Continue


def test_two_that_say_the_same_are_equal() -> None:
    assert Continue(["a"], 5) == Continue(["a"], admitted_until_ns=5)
    assert Continue() == Continue(None)


@pytest.mark.parametrize("other", [Continue(), Continue(["b"], 5), Continue(["a"]), (["a"], 5)])
def test_others_are_not(other: Any) -> None:
    assert Continue(["a"], 5) != other


def test_it_says_what_it_holds() -> None:
    assert repr(Continue("x", 5)) == "Continue('x', admitted_until_ns=5)"


def test_it_is_no_key() -> None:
    # What it holds may change, and it would be lost.
    with pytest.raises(TypeError):
        hash(Continue())
