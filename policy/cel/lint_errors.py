"""Every warning about an expression that is accepted, but doubtful.

Codes are stable. A message says what was found against what is accepted; the hint says what to
do about it.
"""

from __future__ import annotations

from policy.cel.declarations import Doubt
from policy.cel.finding import Finding
from policy.cel.types import CelType
from policy.problem import Severity


def never_null(found: CelType, operator: str, start: int, end: int) -> Finding:
    """Report a comparison with null of what never is."""
    return Finding(
        code="never-null",
        message=f"{operator!r} compares {found} with null; an absent value is never null here",
        start=start,
        end=end,
        severity=Severity.WARNING,
        reference=None,
        hint="an absent text reads as '', an absent number as 0; test with has() or compare those",
    )


def number_against_text(operator: str, start: int, end: int, *, is_literal: bool) -> Finding:
    """Report an int compared with a string, which works by the string's value."""
    return Finding(
        code="number-against-text",
        message=f"{operator!r} compares a number with a string; the string is read as a number",
        start=start,
        end=end,
        severity=Severity.WARNING,
        reference=None,
        hint="write the number without quotes" if is_literal else "put the number in quotes",
    )


def alias_used(name: str, right: str, start: int, end: int) -> Finding:
    """Report a name that is accepted for the right one."""
    return Finding(
        code="alias-used",
        message=f"{name!r} is accepted for {right!r}",
        start=start,
        end=end,
        severity=Severity.WARNING,
        reference=None,
        hint=f"write {right!r}",
    )


def doubtful(doubt: Doubt, start: int, end: int) -> Finding:
    """Report a warning that an overload or constant argument has of its own."""
    return Finding(
        code=doubt.code,
        message=doubt.message,
        start=start,
        end=end,
        severity=Severity.WARNING,
        reference=None,
        hint=doubt.hint,
    )


def constant_condition(start: int, end: int) -> Finding:
    """Report a condition that is the same for every request."""
    return Finding(
        code="constant-condition",
        message="this condition does not depend on the traffic: it is always the same",
        start=start,
        end=end,
        severity=Severity.WARNING,
        reference=None,
    )


def same_on_both_sides(operator: str, start: int, end: int) -> Finding:
    """Report a comparison of a value with itself."""
    return Finding(
        code="constant-condition",
        message=f"both sides of {operator!r} are the same",
        start=start,
        end=end,
        severity=Severity.WARNING,
        reference=None,
    )


def unanchored_regex(name: str, start: int, end: int, *, hint: str) -> Finding:
    """Report a guard's pattern that matches anywhere in the text."""
    return Finding(
        code="unanchored-regex",
        message=f"this pattern may match only a part of {name}, whatever stands around it",
        start=start,
        end=end,
        severity=Severity.WARNING,
        reference=None,
        hint=hint,
    )
