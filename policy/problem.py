"""What is wrong with a document, where, and what to do: the messages a policy author reads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SHOWN_CHARACTERS: Final = 160
_UNPRINTABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


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
    before, marked, behind = _shown_parts(place)
    # A tab stays a tab under its own column, so the caret stands where the terminal shows it.
    lead = "".join("\t" if c == "\t" else " " for c in before)
    caret = "^" * max(1, len(marked))
    lines = [head]
    if place.source_line:  # a place in no line, as of a file that is not there, has none to show
        lines += [f"{number} | {before}{marked}{behind}", f"{' ' * 5} | {lead}{caret}"]
    if problem.hint:
        lines.append(f"        {problem.hint}")
    return "\n".join(lines)


def _shown_parts(place: Place) -> tuple[str, str, str]:
    """Cut the source line before and behind the place, and leave out what is far from it.

    A document may be one line of a megabyte, and may hold characters that steer a terminal.
    """
    line = _UNPRINTABLE.sub("\ufffd", place.source_line)
    start, end = place.column - 1, place.end_column - 1
    before, marked, behind = line[:start], line[start:end], line[end:]
    if len(line) > SHOWN_CHARACTERS:
        if len(before) > SHOWN_CHARACTERS // 2:
            before = "\u2026" + before[-SHOWN_CHARACTERS // 2 :]
        marked = marked[:SHOWN_CHARACTERS]
        room = SHOWN_CHARACTERS - len(before) - len(marked)
        if len(behind) > max(room, 0):
            behind = behind[: max(room, 0)] + "\u2026"
    return before, marked, behind
