from __future__ import annotations

import pytest

from policy.variables.wall_clock import rfc3339


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_772_366_400_999_999_999, "2026-03-01T12:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
    ],
)
def test_a_moment_is_written_to_the_second_in_utc(ns: int, text: str) -> None:
    assert rfc3339(ns) == text
