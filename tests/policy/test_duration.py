from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.duration import DurationError, parse_duration_ns, render_duration


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("90s", 90_000_000_000),
        ("10m", 600_000_000_000),
        ("1h30m", 5_400_000_000_000),
        ("500ms", 500_000_000),
        ("1.5s", 1_500_000_000),
        (".5s", 500_000_000),
        ("1.s", 1_000_000_000),
        ("0", 0),
        ("0s", 0),
        ("7ns", 7),
        ("2us", 2_000),
        ("2µs", 2_000),
        ("2\u03bcs", 2_000),
        ("1h1h", 7_200_000_000_000),
        ("0.1ns", 0),
        ("9223372036854775807ns", 2**63 - 1),
    ],
)
def test_durations_read_as_in_go(text: str, nanoseconds: int) -> None:
    """Language spec, section 5."""
    assert parse_duration_ns(text) == nanoseconds


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("60", "a unit is missing: write 60s for seconds, 60m for minutes"),
        ("-1s", "a duration can't be negative"),
        ("2d", "there is no unit for days: write 48h"),
        ("1w", "there is no unit for weeks: write 168h"),
        ("", "write a number and a unit (ns, us, ms, s, m, h), for example 90s, 500ms or 1h30m"),
        ("1 s", "write a number and a unit (ns, us, ms, s, m, h), for example 90s, 500ms or 1h30m"),
        (".s", "write a number and a unit (ns, us, ms, s, m, h), for example 90s, 500ms or 1h30m"),
        ("1s ", "write a number and a unit (ns, us, ms, s, m, h), for example 90s, 500ms or 1h30m"),
        ("9223372036854775808ns", "the limit is about 292 years"),
    ],
)
def test_what_is_no_duration_is_refused(text: str, hint: str) -> None:
    with pytest.raises(DurationError) as refusal:
        parse_duration_ns(text)
    assert refusal.value.hint == hint


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (90_000_000_000, "1m30s"),
        (86_400_000_000_000, "24h"),
        (1_500_000_001, "1s500ms1ns"),
    ],
)
def test_durations_are_written_short(nanoseconds: int, text: str) -> None:
    assert render_duration(nanoseconds) == text


@given(st.integers(0, 2**63 - 1))
def test_what_is_written_reads_back(nanoseconds: int) -> None:
    assert parse_duration_ns(render_duration(nanoseconds)) == nanoseconds


@given(st.text(alphabet="0123456789.nuµmsh-+e _\u0661", max_size=30))
def test_any_text_is_a_duration_or_a_duration_error(text: str) -> None:
    with contextlib.suppress(DurationError):
        assert 0 <= parse_duration_ns(text) < 2**63
