"""Shows what was found: a table for a person, one JSON object for a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from penstock.doctor.examination import Examination
from penstock.doctor.finding import Finding, Verdict
from penstock.output import BAD, DOUBTFUL, FAINT, GOOD, STRONG, Line, Span, line

COLOURS: Final[Mapping[Verdict, str]] = {
    Verdict.OK: GOOD,
    Verdict.WARNING: DOUBTFUL,
    Verdict.FAILED: BAD,
    Verdict.UNKNOWN: FAINT,
}


def report_lines(examinations: Iterable[Examination]) -> Iterator[Line]:
    """Lay out all examinations."""
    for index, each in enumerate(examinations):
        if index:
            yield line()
        login = each.login
        auth_id = f" auth_id {login.settings.auth_id}" if login.settings.auth_id else ""
        yield line(Span(f"{login.action}{auth_id}", STRONG), f' in "{login.rule}": {each.provider}')
        width = max(len(finding.check) for finding in each.findings)
        for finding in each.findings:
            yield from _finding_lines(finding, width)


def _finding_lines(finding: Finding, width: int) -> Iterator[Line]:
    mark = f"{finding.verdict.value:<7}"
    head = f"  {finding.check:<{width}}  {finding.detail}"
    yield line("  ", Span(mark, COLOURS[finding.verdict]), head)
    if finding.remedy:
        yield line(Span(f"{' ' * (width + 13)}{finding.remedy}", FAINT))


def report_json(policy: str, examinations: Iterable[Examination]) -> dict[str, object]:
    """Return the machine format (see the page on what machines can rely on)."""
    logins = [_login_json(each) for each in examinations]
    return {"policy": policy, "ok": all(each["ok"] for each in logins), "logins": logins}


def _login_json(examination: Examination) -> dict[str, object]:
    login = examination.login
    return {
        "action": login.action,
        "auth_id": login.settings.auth_id,
        "rule": login.rule,
        "provider": examination.provider,
        "redirect_uri": examination.redirect_uri,
        "ok": not examination.has_failed,
        "checks": [
            {
                "check": each.check,
                "verdict": each.verdict.value,
                "detail": each.detail,
                "remedy": each.remedy or None,
            }
            for each in examination.findings
        ],
    }
