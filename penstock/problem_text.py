"""Problems of documents as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.output import BAD, DOUBTFUL, FAINT, STRONG, Line, Span, line
from policy.problem import Problem, Severity, render_problem


def problem_lines(problem: Problem) -> Iterator[Line]:
    """Lay out one problem: its place, what it is, the source line, a caret, the remedy."""
    colour = BAD if problem.severity is Severity.ERROR else DOUBTFUL
    place = f"{problem.place.file}:{problem.place.line}:{problem.place.column}: "
    head, *lines = render_problem(problem).split("\n")
    yield line(Span(place, STRONG), Span(head.removeprefix(place), colour))
    if problem.place.source_line:
        source, caret, *lines = lines
        yield line(source)
        yield line(Span(caret, colour))
    yield from (line(Span(each, FAINT)) for each in lines)
