"""What is wrong, or doubtful, in the text of one expression."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from policy.problem import Severity

COMPILE_REFERENCE = "ERR_NGROK_2200"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding. `start` and `end` are offsets in the expression's text, in code points."""

    code: str
    message: str
    start: int
    end: int
    severity: Severity = Severity.ERROR
    hint: str | None = None
    reference: str | None = COMPILE_REFERENCE


class ExpressionError(Exception):
    """An expression that can't be used. Carries all findings, warnings included, in text order."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(sorted(findings, key=lambda finding: (finding.start, finding.end)))
        super().__init__("; ".join(finding.message for finding in self.findings))
