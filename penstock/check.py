"""`penstock check`: everything that is wrong with documents, before there is traffic."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from penstock.document_file import problems_of
from penstock.loading_bar import loading_bar
from penstock.output import GOOD, STRONG, Line, Span, line, show
from penstock.problem_text import problem_lines
from policy.problem import Problem, Severity


class Format(StrEnum):
    """How problems are written."""

    TEXT = "text"
    JSON = "json"


def check(
    files: Annotated[
        list[Path], typer.Argument(help="Policies, or configuration files such as penstock.yml.")
    ],
    *,
    strict: Annotated[
        bool, typer.Option("--strict", help="Warnings refuse a document, too.")
    ] = False,
    output: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TEXT,
) -> None:
    """Say what is wrong with policies and configurations.

    All problems of all files, each with its place. Ends with 1 if anything is an error, with
    --strict also if anything is a warning.
    """
    with loading_bar() as progress:
        problems = [problem for path in files for problem in problems_of(path, progress)]
    if output is Format.JSON:
        listed = [problem.as_json() for problem in problems]
        sys.stdout.write(json.dumps(listed, indent=2, ensure_ascii=False) + "\n")
    else:
        show(report_lines(problems, file_count=len(files)))
    refused = any(strict or problem.severity is Severity.ERROR for problem in problems)
    raise typer.Exit(int(refused))


def report_lines(problems: Iterable[Problem], *, file_count: int) -> Iterator[Line]:
    """Lay out all problems, and for whoever watches a terminal also that there are none."""
    severities: list[Severity] = []
    for problem in problems:
        severities.append(problem.severity)
        yield from problem_lines(problem)
    if severities:
        yield line(Span(count_text(severities), STRONG))
    elif sys.stdout.isatty():
        yield line(Span(f"{counted(file_count, 'file')}, no problems", GOOD))


def count_text(severities: list[Severity]) -> str:
    """Sum up: `2 errors, 1 warning`."""
    amounts = ((each, severities.count(each)) for each in Severity)
    return ", ".join(counted(amount, each.value) for each, amount in amounts if amount)


def counted(amount: int, noun: str) -> str:
    """Write a number of things."""
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"
