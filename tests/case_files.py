"""Runs the case files of a stage: documents with the exact messages that they must give."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from policy.problem import PolicyError, Problem, render_problem

CASES = Path(__file__).parent / "cases"


def case_files(stage: str) -> list[object]:
    """The documents of a stage as parameters of a test."""
    files = sorted((CASES / stage).glob("*.yml"))
    assert files
    return [pytest.param(file, id=file.stem) for file in files]


def check_case(file: Path, problems_of: Callable[[str, str], Iterable[Problem]]) -> None:
    """Compare all messages about a document with the ones beside it."""
    text = file.read_text(encoding="utf-8")
    try:
        problems = list(problems_of(text, "policy.yml"))
    except PolicyError as error:
        problems = list(error.problems)
    said = "".join(f"{render_problem(p)}\n        [{p.reference}]\n" for p in problems)
    expected = file.with_suffix(".expected")
    if os.environ.get("PENSTOCK_UPDATE_CASES") == file.parent.name:
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8")
