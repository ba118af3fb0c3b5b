"""Declarations as authors read them."""

from __future__ import annotations

from policy.cel.functions.define import method, plain
from policy.cel.types import BOOL, INT, STRING, ListType


def test_a_signature_is_shown_as_the_call_is_written() -> None:
    plain_one = plain((STRING, ListType(INT)), BOOL, lambda *_: True)
    assert plain_one.describe("f") == "f(string, list(int))"
    assert method((STRING, INT), BOOL, lambda *_: True).describe("f") == "string.f(int)"
