"""Every row about HTTP, headers, paths, addresses, resources and streams has a test that names it.

A row is an id such as T-SM-1; a test names it in its docstring, its parameters, its module's
docstring, or as `test_t_sm_1_...`.
"""

from __future__ import annotations

import re
from functools import cache

import pytest

from tests.console import ROOT

ROWS = {
    "T-HD": range(1, 8),
    "T-PA": range(1, 7),
    "T-SM": [*range(1, 16), "R", "D"],
    "T-AH": range(1, 12),
    "T-IP": range(1, 6),
    "T-EX": range(1, 11),
    "T-SS": range(1, 6),
    "T-WS": range(1, 8),
    "T-SSE": [1],
    "T-DO": range(1, 9),
    "T-CK": range(1, 3),
    "T-AD": range(1, 3),
    "T-LG": [1],
    "T-TL": range(1, 3),
    "T-FO": [1],
    "T-UP": [1],
}
IDS = [f"{group}-{number}" for group, numbers in ROWS.items() for number in numbers]
# What can't go wrong here yet, or is shown by something that is no test.
OTHERWISE = {
    "T-AH-1": "no file is ever served: our own pages are in the code",
    "T-AH-3": "there is no action that sends a multipart body",
    "T-AH-4": "no multipart body is parsed, and bodies that are buffered are bounded",
    "T-AH-9": "an upstream is named by the configuration, never by a request, and nothing caches",
    "T-AD-2": "there is no inspector",
    "T-DO-7": "bench/soak.py: memory stays flat under mixed load",
}
NAMED = re.compile(r"T-[A-Z]+-(?:[0-9]+|[RD]\b)")
NAMED_BY_FUNCTION = re.compile(r"def test_(t_[a-z]+_[0-9]+)_")


@cache
def named_rows() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("*.py"):
        if path.name != "test_security_rows.py":
            text = path.read_text("utf-8")
            found.update(NAMED.findall(text))
            names = NAMED_BY_FUNCTION.findall(text)
            found.update(name.upper().replace("_", "-") for name in names)
    return found


@pytest.mark.parametrize("row", IDS)
def test_a_row_has_a_test_that_names_it(row: str) -> None:
    assert row in named_rows() or row in OTHERWISE


def test_no_row_is_excused_that_has_a_test() -> None:
    assert OTHERWISE.keys() & named_rows() == set()
