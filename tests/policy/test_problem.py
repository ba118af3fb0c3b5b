from __future__ import annotations

import pytest

from policy.problem import (
    SHOWN_CHARACTERS,
    Place,
    PolicyError,
    Problem,
    Severity,
    has_errors,
    render_problem,
)


def problem(line: str, start: int, end: int, **more: object) -> Problem:
    place = Place(file="p.yml", line=7, column=start, end_column=end, source_line=line)
    return Problem(code="some-code", message="what is wrong", place=place, **more)  # type: ignore[arg-type]


def test_a_problem_shows_its_place_and_the_remedy() -> None:
    assert render_problem(problem("\ta: bcd", 5, 8, hint="do this")) == (
        "p.yml:7:5: some-code: what is wrong\n    7 | \ta: bcd\n      | \t   ^^^\n        do this"
    )


def test_a_warning_says_so() -> None:
    warning = problem("a", 1, 2, severity=Severity.WARNING)
    assert "warning: some-code" in render_problem(warning)
    assert not has_errors([warning])


def test_a_place_without_width_has_a_caret() -> None:
    assert render_problem(problem("a: b", 1, 1)).endswith("      | ^")


def test_an_empty_line_is_not_shown() -> None:
    assert render_problem(problem("", 1, 1)) == "p.yml:7:1: some-code: what is wrong"


@pytest.mark.parametrize("column", [1, 50, 100, 5_000, 999_990])
def test_of_a_long_line_the_neighbourhood_is_shown(column: int) -> None:
    line = "x" * (column - 1) + "HERE" + "y" * (1_000_000 - column)
    _, shown, caret = render_problem(problem(line, column, column + 4)).split("\n")
    assert len(shown) < SHOWN_CHARACTERS + 20
    assert shown[caret.index("^") : caret.rindex("^") + 1] == "HERE"


def test_a_long_mark_is_cut() -> None:
    rendered = render_problem(problem("x" * 10_000, 1, 10_001))
    assert len(rendered) < 4 * SHOWN_CHARACTERS


def test_what_would_steer_a_terminal_is_not_printed() -> None:
    assert "\x1b" not in render_problem(problem("a: \x1b[2J", 4, 5))


def test_problems_are_sorted_by_place() -> None:
    late, early = problem("a", 3, 4), problem("a", 1, 2)
    assert PolicyError([late, early]).problems == (early, late)


def test_a_problem_has_a_machine_format() -> None:
    assert problem("a", 1, 2, hint="h").as_json() == {
        "file": "p.yml",
        "line": 7,
        "column": 1,
        "code": "some-code",
        "severity": "error",
        "message": "what is wrong",
        "hint": "h",
    }
