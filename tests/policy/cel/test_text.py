"""The text of values."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.cel import CelError, Duration, Limits, Timestamp, TypeValue, Uint
from policy.cel.text import double_text, duration_text, scalar_text, timestamp_text, value_text
from policy.cel.times import parse_duration, parse_timestamp
from policy.cel.work import Work


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (True, "true"),
        (-1, "-1"),
        (Uint(1), "1"),
        (1.0, "1"),
        (0.1, "0.1"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (math.nan, "NaN"),
        (None, "null"),
        ("é".encode(), "é"),
        (Timestamp(-1), "1969-12-31T23:59:59.999999999Z"),
        (Timestamp(500_000_000), "1970-01-01T00:00:00.5Z"),
        (Duration(-1_500_000_000), "-1.5s"),
        (Duration(0), "0s"),
        (TypeValue("int"), "int"),
    ],
    ids=str,
)
def test_a_scalar_is_written(value: Any, text: str) -> None:
    assert scalar_text(value) == text


@pytest.mark.parametrize(
    ("value", "code"), [(b"\xff", "invalid-utf8"), ([1], "no-such-overload")], ids=str
)
def test_what_has_no_text_is_an_error(value: Any, code: str) -> None:
    with pytest.raises(CelError) as failed:
        scalar_text(value)
    assert failed.value.code == code


def test_lists_and_maps_are_written_with_sorted_keys() -> None:
    value = {"b": [1, (None,)], "a": {}}
    assert value_text(Work(Limits()), value) == "{a: {}, b: [1, [null]]}"


def test_a_text_is_bounded_while_it_is_built() -> None:
    with pytest.raises(CelError) as failed:
        value_text(Work(Limits(max_string=10)), ["aaaa", "bbbb"])
    assert failed.value.code == "value-too-big"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_reads_back_as_itself(value: float) -> None:
    assert float(double_text(value)) == value


@given(st.integers(-62_135_596_800 * 10**9, 253_402_300_799 * 10**9))
def test_a_timestamp_reads_back_as_itself(ns: int) -> None:
    assert parse_timestamp(timestamp_text(Timestamp(ns))) == Timestamp(ns)


@given(st.integers(-(10**18), 10**18))
def test_a_duration_reads_back_as_itself(ns: int) -> None:
    assert parse_duration(duration_text(Duration(ns))) == Duration(ns)
