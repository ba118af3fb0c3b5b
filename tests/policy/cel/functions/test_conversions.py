"""Conversions between types: what is accepted, and what is no value of the type."""

from __future__ import annotations

from typing import Any

import pytest

from policy.cel.values import Duration, Timestamp, Uint
from tests.policy.cel.requests import assert_gives, failure_code


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("string(1.0)", "1"),
        ("string(1e100)", "1e+100"),
        ("string(double('-Infinity'))", "-Infinity"),
        ("int('+7')", 7),
        ("uint('7') == 7u", True),
        ("uint(7.9)", Uint(7)),
        ("bool('t') && !bool('F')", True),
        ("bytes('é')", b"\xc3\xa9"),
        ("string(timestamp('2026-01-01T00:00:00.120+01:00'))", "2025-12-31T23:00:00.12Z"),
        ("string(timestamp('0001-01-01T00:00:00Z'))", "0001-01-01T00:00:00Z"),
        ("string(duration('-1h0.5s'))", "-3600.5s"),
        ("timestamp(1)", Timestamp(ns=1000000000)),
        ("duration(2)", Duration(ns=2000000000)),
        ("duration('1m1ns')", Duration(ns=60000000001)),
        ("size(b'abc') + [1].size() + {'a': 1}.size()", 5),
    ],
    ids=str,
)
def test_a_value_is_converted(text: str, wanted: Any) -> None:
    assert_gives(text, wanted)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("int('1.5')", "always-fails"),
        ("int('')", "always-fails"),
        ("int('9223372036854775808')", "always-fails"),
        ("int(1e19)", "always-fails"),
        ("int(double('NaN'))", "always-fails"),
        ("uint('-1')", "always-fails"),
        ("uint('+1')", "always-fails"),
        ("uint(-1)", "always-fails"),
        ("uint(1e20)", "always-fails"),
        ("double('1,5')", "always-fails"),
        ("double('')", "always-fails"),
        ("bool('yes')", "always-fails"),
        ("string(b'\\xff')", "always-fails"),
        ("timestamp('2026-02-30T00:00:00Z')", "always-fails"),
        ("timestamp('2026-01-01')", "always-fails"),
        ("timestamp('2026-01-01T00:00:00+25:00')", "always-fails"),
        ("duration('1')", "always-fails"),
        ("duration('')", "always-fails"),
    ],
)
def test_what_is_no_value_of_the_type_is_an_error(text: str, code: str) -> None:
    assert failure_code(text) == code
