"""Moments and spans of time as text, in zones, and in parts."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.cel import CelError, Duration, Timestamp
from policy.cel.times import (
    millisecond_part,
    moment_in,
    parse_duration,
    parse_timestamp,
    parse_zone,
    whole,
)

S = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:01.000000001z", S + 1),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:00:00-01:00", 0),
        ("1970-01-01T00:00:00.1234567899Z", 123_456_789),
    ],
)
def test_rfc_3339_is_read_in_any_offset(text: str, ns: int) -> None:
    assert parse_timestamp(text) == Timestamp(ns)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1970-01-01", "bad-conversion"),
        ("1970-01-01 00:00:00Z", "bad-conversion"),
        ("1970-01-01T00:00:00", "bad-conversion"),
        ("1970-13-01T00:00:00Z", "out-of-range"),
        ("1970-01-01T00:00:60Z", "out-of-range"),
        ("1970-01-01T00:00:00+24:00", "out-of-range"),
        ("0001-01-01T00:00:00+01:00", "out-of-range"),
        ("9" * 500, "bad-conversion"),
    ],
)
def test_what_is_no_moment_is_an_error(text: str, code: str) -> None:
    with pytest.raises(CelError) as failed:
        parse_timestamp(text)
    assert failed.value.code == code


@pytest.mark.parametrize(
    ("text", "ns"), [("90s", 90 * S), ("-1m", -60 * S), ("+1.5s", 3 * S // 2), ("0", 0)]
)
def test_a_duration_may_have_a_sign(text: str, ns: int) -> None:
    assert parse_duration(text) == Duration(ns)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("--1s", "bad-conversion"),
        ("1", "bad-conversion"),
        ("9999999h", "out-of-range"),
        ("1h" * 300, "bad-conversion"),
    ],
)
def test_what_is_no_duration_is_an_error(text: str, code: str) -> None:
    with pytest.raises(CelError) as failed:
        parse_duration(text)
    assert failed.value.code == code


@pytest.mark.parametrize(
    ("name", "hours"),
    [("UTC", 0), ("Asia/Kolkata", 5.5), ("-02:30", -2.5), ("02:30", 2.5), ("+00:00", 0)],
)
def test_a_zone_is_a_name_or_an_offset(name: str, hours: float) -> None:
    offset = moment_in(Timestamp(0), parse_zone(name)).utcoffset()
    assert offset == timedelta(hours=hours)


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "+24:00", "01:60", "../../etc/passwd", "/etc", "a\0b", "x" * 999]
)
def test_what_is_no_zone_is_an_error(name: str) -> None:
    with pytest.raises(CelError) as failed:
        parse_zone(name)
    assert failed.value.code == "unknown-time-zone"


def test_a_moment_that_a_zone_moves_out_of_the_calendar_is_an_error() -> None:
    with pytest.raises(CelError):
        moment_in(parse_timestamp("9999-12-31T23:59:59Z"), parse_zone("+14:00"))


@given(st.integers(-(10**15), 10**15))
def test_units_are_cut_toward_zero(ns: int) -> None:
    assert whole("s")(Duration(ns)) == int(ns / S)
    assert millisecond_part(Duration(ns)) == -millisecond_part(Duration(-ns))


def test_utc_needs_no_conversion() -> None:
    assert moment_in(Timestamp(S), UTC).second == 1
