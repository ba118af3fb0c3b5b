"""Why a message is refused: a stable code for the log, and a detail for the operator alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from policy.exchange import Check

LONGEST_SHOWN: Final = 200


class MessageRefused(Exception):  # noqa: N818 - a judgement on the message
    """A message that is not accepted. The client is told neither of the two."""

    def __init__(self, *, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason, detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at; `reason` is None where it is in order."""

    subject: str
    detail: str
    reason: str | None = None


def as_checks(findings: Iterable[Finding]) -> tuple[Check, ...]:
    """Return findings as explanations show them."""
    return tuple(
        Check(subject=each.subject, passed=each.reason is None, detail=each.detail)
        for each in findings
    )


def settled(subject: str, detail: str, *, holds: bool, reason: str) -> Finding:
    """Make a finding of something that holds or not."""
    return Finding(subject=subject, detail=detail, reason=None if holds else reason)


def first_refusal(findings: Iterable[Finding]) -> Finding | None:
    """Return the finding that decides: the first that is not in order."""
    return next((each for each in findings if each.reason is not None), None)


def shown(values: Iterable[str | None]) -> Iterator[str]:
    """Write values of a message for the operator: quoted, and none of them endless."""
    for value in values:
        text = "nothing" if value is None else repr(value)
        yield text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def found_wanted(found: str | None, wanted: str | None) -> str:
    """Write what was found beside what was wanted."""
    return "{}, wanted {}".format(*shown((found, wanted)))
