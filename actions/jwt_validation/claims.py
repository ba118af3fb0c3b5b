"""What a token claims, against what the policy accepts (RFC 7519, section 4; D1-8 to D1-13).

Identifiers are compared exactly (security P10). Clocks may differ by a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple, Protocol, TypeGuard

from actions.jose.token import Token
from actions.jwt_validation.refusals import (
    AUDIENCE_NOT_ALLOWED,
    EXPIRY_MISSING,
    INVALID_CLAIMS,
    ISSUER_NOT_ALLOWED,
    NOT_YET_VALID,
    TOKEN_EXPIRED,
    TOKEN_TOO_OLD,
    TYPE_NOT_ALLOWED,
    Refused,
)

LEEWAY_S: Final = 60
NS_PER_S: Final = 1_000_000_000
NUMBERS: Final = (int, float)
LAST_DATE: Final = 253_402_300_799  # the end of the year 9999
# How long a token without end is believed before everything is checked again.
WITHOUT_EXPIRY_S: Final = 900

# Kinds of tokens that say what they are (RFC 8725, section 3.11) and are good for nothing else.
ACCESS_TOKEN: Final = "at+jwt"  # noqa: S105 - a media type
PINNED_TYPES: Final = frozenset({ACCESS_TOKEN, "it+jwt"})
OTHER_KINDS: Final = frozenset({"logout+jwt", "dpop+jwt", "secevent+jwt"})
ACCESS_TOKEN_CLAIMS: Final = ("client_id", "jti")
MISSING_9068: Final = "is missing (RFC 9068)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRules:
    """What is accepted. Without `audiences` any is; `max_age_s` counts from `iat`."""

    issuers: tuple[str, ...]
    audiences: tuple[str, ...] = ()
    allow_missing_exp: bool = False
    max_age_s: float | None = None


class Shown:
    """The claims that a token came with, and when."""

    __slots__ = ("claims", "now_s", "token")

    def __init__(self, claims: dict[str, Any], token: Token, now_s: float) -> None:
        self.claims = claims
        self.token = token
        self.now_s = now_s


class Finding(NamedTuple):
    """One claim with what was found, in words; `refused` is None where it is in order."""

    claim: str
    detail: str
    refused: Refused | None = None


class ClaimCheck(Protocol):
    """What is asked of one claim."""

    @property
    def claim(self) -> str:
        """The name of the claim."""

    def judge(self, shown: Shown) -> Refused | None:
        """Return why the claim is not in order; None when it is."""

    def tell(self, shown: Shown) -> str | None:
        """Say what was found; None when that is not worth a word."""


def claim_checks(kind: str, rules: ClaimRules) -> tuple[ClaimCheck, ...]:
    """Return the checks of every claim, in the order in which a refusal is told.

    Those of `iss` and `aud` come last: only a token that is in order otherwise is answered with
    403 for being from or for others.
    """
    is_access_token = kind == ACCESS_TOKEN
    wanted = ACCESS_TOKEN_CLAIMS if is_access_token else ()
    return (
        TypeCheck(kind=kind),
        TimeCheck(
            claim="exp",
            refuse=_expiry,
            missing=None if rules.allow_missing_exp else EXPIRY_MISSING,
            missing_detail="is missing",
        ),
        TimeCheck(claim="nbf", refuse=_beginning),
        _issue_check(kind, rules),
        TextCheck(claim="sub", is_wanted=is_access_token),
        *(TextCheck(claim=name, is_wanted=True) for name in wanted),
        IssuerCheck(issuers=rules.issuers),
        *((AudienceCheck(audiences=rules.audiences),) if rules.audiences else ()),
    )


def refusal_of(checks: Iterable[ClaimCheck], shown: Shown) -> Refused | None:
    """Return the first reason not to accept the claims; None when they are in order."""
    for check in checks:
        refused = check.judge(shown)
        if refused is not None:
            return refused
    return None


def findings(checks: Iterable[ClaimCheck], shown: Shown) -> Iterator[Finding]:
    """Tell what was found of each claim, for whoever asks."""
    for check in checks:
        detail = check.tell(shown)
        if detail is not None:
            yield Finding(check.claim, detail, check.judge(shown))


def valid_until_ns(claims: Mapping[str, Any], rules: ClaimRules, now_ns: int) -> int:
    """Return when accepted claims have to be looked at again: no later than they expire."""
    expiry = claims.get("exp")
    end = now_ns // NS_PER_S + WITHOUT_EXPIRY_S if expiry is None else expiry + LEEWAY_S
    if rules.max_age_s is not None:
        end = min(end, claims["iat"] + rules.max_age_s + LEEWAY_S)
    return int(end * NS_PER_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeCheck:
    """A kind that says what it is has to; another one must not say that it is something else."""

    kind: str
    claim: str = "typ"

    def judge(self, shown: Shown) -> Refused | None:
        found = shown.token.media_type
        is_fit = found == self.kind if self.kind in PINNED_TYPES else found not in OTHER_KINDS
        return None if is_fit else TYPE_NOT_ALLOWED

    def tell(self, shown: Shown) -> str | None:
        found = shown.token.media_type
        if self.kind in PINNED_TYPES:
            return f"{found!r}, wanted {self.kind!r}"
        return f"{found!r} is no token to get in with" if found in OTHER_KINDS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeCheck:
    """A point in time, judged by `refuse(value, now_s)`.

    `missing` is why a token without it is refused, None where it is not.
    """

    claim: str
    refuse: Callable[[float, float], Refused | None]
    missing: Refused | None = None
    missing_detail: str | None = None

    def judge(self, shown: Shown) -> Refused | None:
        value = shown.claims.get(self.claim)
        if value is None and self.claim not in shown.claims:
            return self.missing
        return self.refuse(value, shown.now_s) if _is_date(value) else INVALID_CLAIMS

    def tell(self, shown: Shown) -> str | None:
        if self.claim not in shown.claims:
            return self.missing_detail
        value = shown.claims[self.claim]
        return _moment(value, shown.now_s) if _is_date(value) else "is no time"


def _expiry(value: float, now_s: float) -> Refused | None:
    return None if now_s < value + LEEWAY_S else TOKEN_EXPIRED


def _beginning(value: float, now_s: float) -> Refused | None:
    return None if value - LEEWAY_S <= now_s else NOT_YET_VALID


def _issue(max_age_s: float, value: float, now_s: float) -> Refused | None:
    if now_s >= value + max_age_s + LEEWAY_S:
        return TOKEN_TOO_OLD
    return _beginning(value, now_s)


def _issue_check(kind: str, rules: ClaimRules) -> TimeCheck:
    if rules.max_age_s is not None:
        return TimeCheck(
            claim="iat",
            refuse=partial(_issue, rules.max_age_s),
            missing=INVALID_CLAIMS,
            missing_detail="is missing, and there is a max_age",
        )
    if kind == ACCESS_TOKEN:
        return TimeCheck(
            claim="iat", refuse=_beginning, missing=INVALID_CLAIMS, missing_detail=MISSING_9068
        )
    return TimeCheck(claim="iat", refuse=_beginning)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCheck:
    """A text that is not empty; it has to be there if it is wanted (RFC 9068, section 2.2)."""

    claim: str
    is_wanted: bool

    def judge(self, shown: Shown) -> Refused | None:
        value = shown.claims.get(self.claim)
        if isinstance(value, str) and value:
            return None
        is_missing = value is None and self.claim not in shown.claims
        return None if is_missing and not self.is_wanted else INVALID_CLAIMS

    def tell(self, shown: Shown) -> str | None:
        if self.claim not in shown.claims:
            return MISSING_9068 if self.is_wanted else None
        return (
            repr(shown.claims[self.claim]) if self.judge(shown) is None else "is no text, or empty"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerCheck:
    """Whose token it is."""

    issuers: tuple[str, ...]
    claim: str = "iss"

    def judge(self, shown: Shown) -> Refused | None:
        found = shown.claims.get("iss")
        is_allowed = isinstance(found, str) and found in self.issuers
        return None if is_allowed else ISSUER_NOT_ALLOWED

    def tell(self, shown: Shown) -> str | None:
        return _compared(shown.claims.get("iss"), self.issuers)


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceCheck:
    """Whom it is for: one text or a list of texts, one of them ours."""

    audiences: tuple[str, ...]
    claim: str = "aud"

    def judge(self, shown: Shown) -> Refused | None:
        found = shown.claims.get("aud")
        if isinstance(found, str):
            return None if found in self.audiences else AUDIENCE_NOT_ALLOWED
        listed = found if isinstance(found, list) else ()
        is_allowed = all(isinstance(each, str) for each in listed) and any(
            each in self.audiences for each in listed
        )
        return None if is_allowed else AUDIENCE_NOT_ALLOWED

    def tell(self, shown: Shown) -> str | None:
        return _compared(shown.claims.get("aud"), self.audiences)


def _compared(found: object, accepted: tuple[str, ...]) -> str:
    shown = "is missing" if found is None else repr(found)
    return f"{shown}, accepted: {', '.join(map(repr, accepted))}"


def _is_date(value: object) -> TypeGuard[float]:
    # Fractions are fine (RFC 7519, section 2); texts, true, NaN and far futures are not.
    return type(value) in NUMBERS and 0 < value <= LAST_DATE  # type: ignore[operator]  # a number


def _moment(value: float, now_s: float) -> str:
    written = datetime.fromtimestamp(int(value), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    distance = int(abs(now_s - value))
    return f"{written}, {distance} s {'ago' if value <= now_s else 'from now'}"
