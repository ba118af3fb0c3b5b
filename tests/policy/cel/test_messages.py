"""What an author reads about each mistake: the case files in tests/cases/cel."""

from __future__ import annotations

from pathlib import Path

import pytest

from policy.cel import ExpressionError, Finding
from policy.cel.types import BOOL
from tests.policy.cel.requests import compiled

CASES = Path(__file__).parents[2] / "cases" / "cel"
FILES = sorted(CASES.glob("*.cel"))


def findings_of(text: str) -> tuple[Finding, ...]:
    try:
        return compiled(text, expect=BOOL).warnings
    except ExpressionError as error:
        return error.findings


def rendered(text: str) -> str:
    lines = [text]
    for finding in findings_of(text):
        mark = "" if finding.severity.value == "error" else "warning: "
        lines.append(" " * finding.start + "^" * max(1, finding.end - finding.start))
        lines.append(f"    {mark}{finding.code}: {finding.message}")
        if finding.hint:
            lines.append(f"    {finding.hint}")
    return "\n".join(lines)


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_messages(file: Path) -> None:
    found = "\n\n".join(map(rendered, file.read_text(encoding="utf-8").splitlines())) + "\n"
    assert found == file.with_suffix(".txt").read_text(encoding="utf-8")


def test_every_error_names_the_language_reference() -> None:
    assert {finding.reference for finding in findings_of("req.pth")} == {"ERR_NGROK_2200"}
