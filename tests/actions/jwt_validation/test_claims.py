from __future__ import annotations

from typing import Any

import pytest

from actions.jose.token import parse_token
from actions.jwt_validation.claims import (
    ClaimRules,
    Shown,
    claim_checks,
    findings,
    refusal_of,
    valid_until_ns,
)
from tests.tokens import AUDIENCE, ISSUER, NOON_S, RS256, claims_of

NS = 1_000_000_000
RULES = ClaimRules(issuers=(ISSUER,), audiences=(AUDIENCE,))
ACCESS = {"client_id": "c", "jti": "1"}


def reason(
    claims: dict[str, Any],
    *,
    rules: ClaimRules = RULES,
    kind: str = "access_token",
    typ: Any = "JWT",
    now_ns: int = NOON_S * NS,
) -> str | None:
    token = parse_token(RS256.token(header=RS256.header(typ=typ)))
    checks, shown = claim_checks(kind, rules), Shown(claims, token, now_ns / NS)
    refused = refusal_of(checks, shown)
    # What is told to whoever asks is what decides.
    told = [each.refused for each in findings(checks, shown) if each.refused is not None]
    assert (told[0] if told else None) == refused
    return None if refused is None else refused.reason


NOW = NOON_S
CLAIMS: dict[str, tuple[dict[str, Any], str | None]] = {
    "in order": ({}, None),
    "exp is now": ({"exp": NOW}, None),
    "exp 59 s ago": ({"exp": NOW - 59}, None),
    "exp 60 s ago": ({"exp": NOW - 60}, "token_expired"),
    "exp 61 s ago": ({"exp": NOW - 61}, "token_expired"),
    "exp with a fraction": ({"exp": NOW - 59.5}, None),
    "exp is text": ({"exp": str(NOW + 60)}, "invalid_claims"),
    "exp is true": ({"exp": True}, "invalid_claims"),
    "exp is null": ({"exp": None}, "invalid_claims"),
    "exp is 1e300": ({"exp": 1e300}, "invalid_claims"),
    "exp is NaN": ({"exp": float("nan")}, "invalid_claims"),
    "exp is negative": ({"exp": -1}, "invalid_claims"),
    "exp is a list": ({"exp": [NOW]}, "invalid_claims"),
    "exp is missing": ({"exp": ...}, "expiry_missing"),
    "nbf in 60 s": ({"nbf": NOW + 60}, None),
    "nbf in 61 s": ({"nbf": NOW + 61}, "token_not_yet_valid"),
    "nbf is text": ({"nbf": "now"}, "invalid_claims"),
    "iat in 60 s": ({"iat": NOW + 60}, None),
    "iat in 61 s": ({"iat": NOW + 61}, "token_not_yet_valid"),
    "iat is missing": ({"iat": ...}, None),
    "sub is a number": ({"sub": 7}, "invalid_claims"),
    "sub is an object": ({"sub": {}}, "invalid_claims"),
    "sub is empty": ({"sub": ""}, "invalid_claims"),
    "sub is missing": ({"sub": ...}, None),
    "iss is missing": ({"iss": ...}, "issuer_not_allowed"),
    "iss without its slash": ({"iss": ISSUER[:-1]}, "issuer_not_allowed"),
    "iss in capitals": ({"iss": ISSUER.upper()}, "issuer_not_allowed"),
    "iss of another tenant": ({"iss": ISSUER + "b"}, "issuer_not_allowed"),
    "iss is a list": ({"iss": [ISSUER]}, "issuer_not_allowed"),
    "aud is missing": ({"aud": ...}, "audience_not_allowed"),
    "aud is a longer text": ({"aud": AUDIENCE + "2"}, "audience_not_allowed"),
    "aud is a shorter text": ({"aud": AUDIENCE[:-1]}, "audience_not_allowed"),
    "aud in capitals": ({"aud": AUDIENCE.upper()}, "audience_not_allowed"),
    "aud is a list with ours": ({"aud": ["other", AUDIENCE]}, None),
    "aud is an empty list": ({"aud": []}, "audience_not_allowed"),
    "aud is a list with a number": ({"aud": [AUDIENCE, 7]}, "audience_not_allowed"),
    "aud is an object": ({"aud": {AUDIENCE: 1}}, "audience_not_allowed"),
    "expired and for another": ({"exp": NOW - 99, "aud": "x"}, "token_expired"),
}


@pytest.mark.parametrize(("changes", "expected"), CLAIMS.values(), ids=CLAIMS)
def test_which_claims_are_in_order(changes: dict[str, Any], expected: str | None) -> None:
    """JW-11, JW-12, JW-16."""
    assert reason(claims_of(**changes)) == expected


TYPES: dict[str, tuple[str, Any, dict[str, Any], str | None]] = {
    "pinned": ("at+jwt", "at+jwt", ACCESS, None),
    "pinned, with prefix": ("at+jwt", "application/at+jwt", ACCESS, None),
    "an ID token for an access token": ("at+jwt", "JWT", ACCESS, "type_not_allowed"),
    "no type for a pinned one": ("at+jwt", ..., ACCESS, "type_not_allowed"),
    "it+jwt": ("it+jwt", "it+jwt", {}, None),
    "at+jwt for it+jwt": ("it+jwt", "at+jwt", {}, "type_not_allowed"),
    "a logout token": ("access_token", "logout+jwt", {}, "type_not_allowed"),
    "a proof of possession": ("jwt", "dpop+jwt", {}, "type_not_allowed"),
    "a security event": ("plain", "secevent+jwt", {}, "type_not_allowed"),
    "no type where none is asked": ("id_token", ..., {}, None),
    "no client": ("at+jwt", "at+jwt", {"jti": "1"}, "invalid_claims"),
    "client is a number": ("at+jwt", "at+jwt", ACCESS | {"client_id": 7}, "invalid_claims"),
    "no jti": ("at+jwt", "at+jwt", {"client_id": "c"}, "invalid_claims"),
    "no iat": ("at+jwt", "at+jwt", ACCESS | {"iat": ...}, "invalid_claims"),
    "no sub": ("at+jwt", "at+jwt", ACCESS | {"sub": ...}, "invalid_claims"),
}


@pytest.mark.parametrize(("kind", "typ", "changes", "expected"), TYPES.values(), ids=TYPES)
def test_which_kinds_are_in_order(
    kind: str, typ: Any, changes: dict[str, Any], expected: str | None
) -> None:
    """JW-13."""
    assert reason(claims_of(**changes), kind=kind, typ=typ) == expected


def test_without_audiences_any_is_in_order() -> None:
    assert reason(claims_of(aud="x"), rules=ClaimRules(issuers=(ISSUER,))) is None


def test_a_token_without_end_can_be_allowed() -> None:
    rules = ClaimRules(issuers=(ISSUER,), allow_missing_exp=True)
    assert reason(claims_of(exp=...), rules=rules) is None
    until = valid_until_ns(claims_of(exp=...), rules, NOON_S * NS)
    assert until == (NOON_S + 900) * NS


AGED = ClaimRules(issuers=(ISSUER,), max_age_s=100.0)


@pytest.mark.parametrize(
    ("iat", "expected"),
    [
        (NOON_S - 159, None),
        (NOON_S - 160, "token_too_old"),
        (NOON_S + 61, "token_not_yet_valid"),
        (..., "invalid_claims"),
    ],
)
def test_a_maximum_age_counts_from_iat(iat: Any, expected: str | None) -> None:
    assert reason(claims_of(iat=iat), rules=AGED) == expected


def test_accepted_claims_are_believed_no_longer_than_they_hold() -> None:
    claims = claims_of(iat=NOON_S, exp=NOON_S + 600)
    assert valid_until_ns(claims, RULES, NOON_S * NS) == (NOON_S + 660) * NS
    assert valid_until_ns(claims, AGED, NOON_S * NS) == (NOON_S + 160) * NS
