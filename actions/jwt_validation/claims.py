"""What a token claims, against what the policy accepts (RFC 7519, section 4; D1-8 to D1-13).

Identifiers are compared exactly (security P10). Clocks may differ by a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple

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
LAST_DATE: Final = 253_402_300_799  # the end of the year 9999
# How long a token without end is believed before everything is checked again.
WITHOUT_EXPIRY_S: Final = 900

# Kinds of tokens that say what they are (RFC 8725, section 3.11) and are good for nothing else.
ACCESS_TOKEN: Final = "at+jwt"  # noqa: S105 - a media type
PINNED_TYPES: Final = frozenset({ACCESS_TOKEN, "it+jwt"})
OTHER_KINDS: Final = frozenset({"logout+jwt", "dpop+jwt", "secevent+jwt"})
ACCESS_TOKEN_CLAIMS: Final = ("client_id", "jti", "sub")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRules:
    """What is accepted. Without `audiences` any is; `max_age_s` counts from `iat`."""

    issuers: tuple[str, ...]
    audiences: tuple[str, ...] = ()
    allow_missing_exp: bool = False
    max_age_s: float | None = None


class Finding(NamedTuple):
    """One claim with what was found; `refused` is None where it is in order.

    `told` writes it out: nearly always nobody asks.
    """

    claim: str
    told: Callable[[], str]
    refused: Refused | None = None

    @property
    def detail(self) -> str:
        """What was found, in words."""
        return self.told()


def check_claims(
    claims: Mapping[str, Any], token: Token, kind: str, rules: ClaimRules, now_ns: int
) -> tuple[Finding, ...]:
    """Check every claim, in the order in which a refusal is told: other than `iss` and `aud` first.

    Only a token that is in order otherwise is answered with 403 for being from or for others.
    """
    now_s = now_ns / NS_PER_S
    return (
        *_check_type(token, kind),
        *_check_times(claims, rules, now_s),
        *_check_texts(claims, kind),
        _check_issuer(claims, rules),
        *_check_audience(claims, rules),
    )


def _plainly(text: str) -> Callable[[], str]:
    return text.__str__


def valid_until_ns(claims: Mapping[str, Any], rules: ClaimRules, now_ns: int) -> int:
    """Return when accepted claims have to be looked at again: no later than they expire."""
    ends = [claims["exp"] + LEEWAY_S if "exp" in claims else now_ns // NS_PER_S + WITHOUT_EXPIRY_S]
    if rules.max_age_s is not None:
        ends.append(claims["iat"] + rules.max_age_s + LEEWAY_S)
    return int(min(ends) * NS_PER_S)


def _check_type(token: Token, kind: str) -> Iterator[Finding]:
    found = token.media_type
    if kind in PINNED_TYPES:
        refused = None if found == kind else TYPE_NOT_ALLOWED
        yield Finding("typ", lambda: f"{found!r}, wanted {kind!r}", refused)
    elif found in OTHER_KINDS:
        told = f"{found!r} is no token to get in with"
        yield Finding("typ", _plainly(told), TYPE_NOT_ALLOWED)


def _check_times(claims: Mapping[str, Any], rules: ClaimRules, now_s: float) -> Iterator[Finding]:
    for name in ("exp", "nbf", "iat"):
        if name not in claims:
            yield from _without_time(name, rules)
        elif not _is_date(claims[name]):
            yield Finding(name, _plainly("is no time"), INVALID_CLAIMS)
        else:
            refused = TIME_CHECKS[name](claims[name], rules, now_s)
            yield Finding(name, partial(_moment, claims[name], now_s), refused)


def _without_time(name: str, rules: ClaimRules) -> Iterator[Finding]:
    if name == "exp":
        refused = None if rules.allow_missing_exp else EXPIRY_MISSING
        yield Finding(name, _plainly("is missing"), refused)
    elif name == "iat" and rules.max_age_s is not None:
        yield Finding(name, _plainly("is missing, and there is a max_age"), INVALID_CLAIMS)


def _expiry(value: float, _rules: ClaimRules, now_s: float) -> Refused | None:
    return None if now_s < value + LEEWAY_S else TOKEN_EXPIRED


def _beginning(value: float, _rules: ClaimRules, now_s: float) -> Refused | None:
    return None if value - LEEWAY_S <= now_s else NOT_YET_VALID


def _issue(value: float, rules: ClaimRules, now_s: float) -> Refused | None:
    if rules.max_age_s is not None and now_s >= value + rules.max_age_s + LEEWAY_S:
        return TOKEN_TOO_OLD
    return _beginning(value, rules, now_s)


TIME_CHECKS: Final = {"exp": _expiry, "nbf": _beginning, "iat": _issue}


def _check_texts(claims: Mapping[str, Any], kind: str) -> Iterator[Finding]:
    wanted = ACCESS_TOKEN_CLAIMS if kind == ACCESS_TOKEN else ()
    for name in ("sub", *(each for each in wanted if each != "sub")):
        value = claims.get(name)
        if name in claims:
            if isinstance(value, str) and value:
                yield Finding(name, partial(repr, value))
            else:
                yield Finding(name, _plainly("is no text, or empty"), INVALID_CLAIMS)
        elif name in wanted:
            yield Finding(name, _plainly("is missing (RFC 9068)"), INVALID_CLAIMS)
    if kind == ACCESS_TOKEN and "iat" not in claims:
        yield Finding("iat", _plainly("is missing (RFC 9068)"), INVALID_CLAIMS)


def _check_issuer(claims: Mapping[str, Any], rules: ClaimRules) -> Finding:
    found = claims.get("iss")
    is_allowed = isinstance(found, str) and found in rules.issuers
    refused = None if is_allowed else ISSUER_NOT_ALLOWED
    return Finding("iss", partial(_compared, found, rules.issuers), refused)


def _check_audience(claims: Mapping[str, Any], rules: ClaimRules) -> Iterator[Finding]:
    if not rules.audiences:
        return
    found = claims.get("aud")
    listed = found if isinstance(found, list) else [found]
    is_allowed = all(isinstance(each, str) for each in listed) and any(
        each in rules.audiences for each in listed
    )
    refused = None if is_allowed else AUDIENCE_NOT_ALLOWED
    yield Finding("aud", partial(_compared, found, rules.audiences), refused)


def _compared(found: object, accepted: tuple[str, ...]) -> str:
    shown = "is missing" if found is None else repr(found)
    return f"{shown}, accepted: {', '.join(map(repr, accepted))}"


def _is_date(value: object) -> bool:
    # Fractions are fine (RFC 7519, section 2); texts, true, NaN and far futures are not.
    return isinstance(value, int | float) and value is not True and 0 < value <= LAST_DATE


def _moment(value: float, now_s: float) -> str:
    written = datetime.fromtimestamp(int(value), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    distance = int(abs(now_s - value))
    return f"{written}, {distance} s {'ago' if value <= now_s else 'from now'}"
