"""Problems as a person reads them."""

from __future__ import annotations

import pytest

from penstock.problem_text import problem_lines
from policy.problem import Place, Problem, Severity, render_problem

PLACE = Place(file="p.yml", line=2, column=3, end_column=6, source_line="a: bcd")
PROBLEM = Problem(code="some-code", message="not good", place=PLACE, hint="write better")


def test_the_text_is_that_of_the_problem() -> None:
    lines = ["".join(span.text for span in line) for line in problem_lines(PROBLEM)]
    assert "\n".join(lines) == render_problem(PROBLEM)


@pytest.mark.parametrize(
    ("severity", "style"), [(Severity.ERROR, "bold red"), (Severity.WARNING, "yellow")]
)
def test_errors_and_warnings_differ_in_colour(severity: Severity, style: str) -> None:
    problem = Problem(code="c", message="m", place=PLACE, severity=severity)
    head, _, caret, *_ = problem_lines(problem)
    assert (head[1].style, caret[0].style) == (style, style)
