from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.saml.instant import parse_duration_s, parse_instant_ns, render_instant
from actions.saml.refusal import MessageRefused
from tests.exchanges import NOON_NS


@pytest.mark.parametrize(
    ("text", "after_noon_ns"),
    [
        ("2026-03-01T12:00:00Z", 0),
        ("2026-03-01T12:00:00+00:00", 0),
        ("2026-03-01T12:00:00.5Z", 500_000_000),
        ("2026-03-01T12:00:00.000000001Z", 1),
        ("2026-03-01T12:00:00.0000000019Z", 1),
        ("2026-03-01T11:59:59.999Z", -1_000_000),
    ],
)
def test_times_are_read_to_the_nanosecond_sa_16(text: str, after_noon_ns: int) -> None:
    assert parse_instant_ns(text) == NOON_NS + after_noon_ns


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-03-01", "2026-03-01T12:00:00", "2026-03-01T12:00:00z", "2026-03-01 12:00:00Z",
        "2026-03-01T12:00:00+02:00", "2026-03-01T12:00:00-00:00", "2026-03-01T12:00Z",
        "2026-02-29T12:00:00Z", "2026-13-01T12:00:00Z", "2026-03-01T24:00:00Z",
        "2026-03-01T12:00:60Z", "2026-03-01T12:00:00.Z", "0000-03-01T12:00:00Z",
        "-2026-03-01T12:00:00Z", "12026-03-01T12:00:00Z", "2026-03-01T12:00:00Z ",
        "2026-03-01T12:00:00Z\n", "\uff12\uff10\uff12\uff16-03-01T12:00:00Z",
    ],
)  # fmt: skip
def test_other_times_are_refused_sa_16(text: str) -> None:
    with pytest.raises(MessageRefused):
        parse_instant_ns(text)


def test_the_last_year_is_a_year_sa_16() -> None:
    assert render_instant(parse_instant_ns("9999-12-31T23:59:59Z")) == "9999-12-31T23:59:59Z"
    assert parse_instant_ns("0001-01-01T00:00:00Z") < 0


@given(st.integers(-62_135_596_800, 253_402_300_799))
def test_what_is_written_is_read(seconds: int) -> None:
    instant_ns = seconds * 1_000_000_000
    assert parse_instant_ns(render_instant(instant_ns)) == instant_ns


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT0S", 0),
        ("PT1H", 3600),
        ("P1D", 86_400),
        ("P1Y2M3DT4H5M6.7S", 36_993_906),
        (" PT5M ", 300),
    ],
)
def test_durations_are_read_in_seconds(text: str, seconds: int) -> None:
    assert parse_duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "P", "PT", "1H", "PT1", "-PT1H", "P1DT", "PT1H1H"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(MessageRefused):
        parse_duration_s(text)
