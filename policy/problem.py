"""What is wrong with a document, where, and what to do: the messages a policy author reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error refuses the document; a warning is reported and the document accepted."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A stretch of one line of one file. Lines and columns count from 1, in code points."""

    file: str
    line: int
    column: int
    end_column: int
    source_line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding. `code` is stable kebab-case; `reference` is the language's own error name."""

    code: str
    message: str
    place: Place
    severity: Severity = Severity.ERROR
    hint: str | None = None
    reference: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return the machine format that `penstock check --format json` promises."""
        return {
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "hint": self.hint,
        }


class PolicyError(Exception):
    """A document that can't be used. Carries all its problems, warnings included, sorted."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted_problems(problems)
        super().__init__("\n".join(render_problem(problem) for problem in self.problems))


def sorted_problems(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Put problems into document order."""
    return tuple(sorted(problems, key=lambda p: (p.place.file, p.place.line, p.place.column)))


def has_errors(problems: Iterable[Problem]) -> bool:
    """Tell whether any problem refuses the document."""
    return any(problem.severity is Severity.ERROR for problem in problems)


def render_problem(problem: Problem) -> str:
    """Lay one problem out for a person: place, code, message, source line, caret, remedy."""
    place = problem.place
    mark = "warning: " if problem.severity is Severity.WARNING else ""
    head = f"{place.file}:{place.line}:{place.column}: {mark}{problem.code}: {problem.message}"
    number = f"{place.line:>5}"
    # A tab stays a tab under its own column, so the caret stands where the terminal shows it.
    lead = "".join("\t" if c == "\t" else " " for c in place.source_line[: place.column - 1])
    caret = "^" * max(1, place.end_column - place.column)
    lines = [head, f"{number} | {place.source_line}", f"{' ' * 5} | {lead}{caret}"]
    if problem.hint:
        lines.append(f"        {problem.hint}")
    return "\n".join(lines)
