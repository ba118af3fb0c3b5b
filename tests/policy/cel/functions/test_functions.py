"""The standard functions as a whole."""

from __future__ import annotations

from policy.cel import STANDARD_FUNCTIONS


def test_every_function_says_what_it_is_for() -> None:
    assert [function.name for function in STANDARD_FUNCTIONS if not function.doc] == []


def test_names_are_declared_once() -> None:
    names = [function.name for function in STANDARD_FUNCTIONS]
    assert len(names) == len(set(names))
