"""Parts of timestamps and durations, in time zones."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.cel.requests import assert_gives, failure_code


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("timestamp('2026-12-31T23:59:59.999Z').getMilliseconds()", 999),
        ("timestamp('2024-12-31T00:00:00Z').getDayOfYear()", 365),
        ("timestamp('2026-01-01T00:00:00Z').getFullYear('-01:00')", 2025),
        ("timestamp('2026-01-01T12:00:00Z').getHours('Asia/Kolkata')", 17),
        ("duration('-90s').getMinutes()", -1),
        ("duration('-1.5s').getMilliseconds()", -500),
    ],
    ids=str,
)
def test_parts_of_time_are_read_in_a_zone(text: str, wanted: Any) -> None:
    assert_gives(text, wanted)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("duration('300000h') + duration('3000000h')", "always-fails"),
        ("timestamp('2026-01-01T00:00:00Z').getHours('+99:00')", "unknown-time-zone"),
        ("timestamp('2026-01-01T00:00:00Z').getHours('../etc/passwd')", "unknown-time-zone"),
    ],
)
def test_zones_that_do_not_exist_are_errors(text: str, code: str) -> None:
    assert failure_code(text) == code
