"""What an examination finds: one line each, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How something stands; `unknown` is what could not be looked at."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. `remedy` is "" where nothing is to be done. No secrets."""

    check: str
    verdict: Verdict
    detail: str
    remedy: str = ""


def fine(check: str, detail: str) -> Finding:
    """Say that something is in order."""
    return Finding(check=check, verdict=Verdict.OK, detail=detail)


def doubtful(check: str, detail: str, remedy: str) -> Finding:
    """Say that something works, but not as well as it could."""
    return Finding(check=check, verdict=Verdict.WARNING, detail=detail, remedy=remedy)


def wrong(check: str, detail: str, remedy: str) -> Finding:
    """Say that something keeps people from logging in, or lets in the wrong ones."""
    return Finding(check=check, verdict=Verdict.FAILED, detail=detail, remedy=remedy)


def unseen(check: str, detail: str, remedy: str = "") -> Finding:
    """Say that something could not be looked at."""
    return Finding(check=check, verdict=Verdict.UNKNOWN, detail=detail, remedy=remedy)
