"""Verifies what a provider posts when a user logs out there (Back-Channel Logout 1.0; D2-32).

A logout token is no ID token and the other way round: it has `events`, and never a `nonce`. Each
is good for once, and for minutes only (OA-17).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from actions.login.protocol import Asking, LoginRefused, LogoutNotice
from actions.login.session import digest
from actions.login.visit import READ_FAILED_CODE, STORE_UNAVAILABLE
from actions.oauth2.refusals import RETRY_AFTER_S, TOKEN_REJECTED
from actions.openid_connect.id_token import IdTokenRules
from actions.openid_connect.metadata import Metadata
from actions.openid_connect.signed_claims import (
    LEEWAY_S,
    audience_finding,
    is_subject,
    read_signed,
    time_finding,
)
from policy.store import BadRecord, Kind, StoreGet, StorePut, StoreUnavailable

PARAMETER: Final = "logout_token"
EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
# Older libraries know no other `typ` than JWT; `events` tells what it is in any case.
KINDS: Final = frozenset({"", "jwt", "logout+jwt"})
MAX_AGE_S: Final = 120
MAX_PARAMETERS: Final = 32
MAX_JTI: Final = 1024
NS_PER_S: Final = 1_000_000_000


def _read_used(data: bytes) -> bytes:
    if data:
        raise BadRecord("not-empty")
    return data


USED_LOGOUT_TOKENS: Final = Kind(
    name="logout-token", encode=bytes, decode=_read_used, max_entries=100_000
)


def read_logout_notice(
    body: bytes, metadata: Metadata, rules: IdTokenRules, *, now_ns: int
) -> Asking[LogoutNotice | LoginRefused]:
    """Return whose sessions are over; raises KeysUnavailable."""
    text = token_in(body)
    if text is None:
        return rejected("the form: not one logout_token, or something twice")
    signed = yield from read_signed(text, metadata.keys, KINDS)
    if isinstance(signed, str):
        return rejected(signed)
    claims, now_s = signed.claims, now_ns / NS_PER_S
    finding = finding_of(claims, metadata.issuer, rules, now_s)
    if finding:
        return rejected(finding)
    last_s = min(claims["exp"], claims["iat"] + MAX_AGE_S) + LEEWAY_S
    key = digest(f"{metadata.issuer} {rules.client_id} {claims['jti']}")
    used = yield StoreGet(kind=USED_LOGOUT_TOKENS, key=key)
    if isinstance(used, StoreUnavailable):
        return LoginRefused(
            status_code=503,
            reason=STORE_UNAVAILABLE,
            error_code=READ_FAILED_CODE,
            detail=used.reason,
            retry_after_s=RETRY_AFTER_S,
        )
    if used is not None:
        return rejected("jti: used before")
    remember = StorePut(
        kind=USED_LOGOUT_TOKENS, key=key, value=b"", ttl_s=last_s - now_s + LEEWAY_S
    )
    return LogoutNotice(
        subject=claims.get("sub", ""), provider_session=claims.get("sid", ""), remember=remember
    )


def token_in(body: bytes) -> str | None:
    """Return the one token of a form; None for any other body."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:
        return None
    fields = dict(pairs)
    return fields.get(PARAMETER) or None if len(fields) == len(pairs) else None


def finding_of(claims: Mapping[str, Any], issuer: str, rules: IdTokenRules, now_s: float) -> str:
    """Return what is wrong with a token that the provider has signed; "" for nothing."""
    if claims.get("iss") != issuer:
        return "iss: another issuer"
    return (
        audience_finding(claims, rules.client_id, rules.trusted_audiences)
        or time_finding(claims, now_s, max_age_s=MAX_AGE_S)
        or _kind_finding(claims)
        or _whose_finding(claims)
    )


def rejected(finding: str) -> LoginRefused:
    """Refuse a token; `finding` shows nothing of it but names of claims."""
    return LoginRefused(
        status_code=400,
        reason="logout-token-rejected",
        error_code=TOKEN_REJECTED,
        detail=f"the logout token: {finding}",
    )


def _kind_finding(claims: Mapping[str, Any]) -> str:
    events, jti = claims.get("events"), claims.get("jti")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        return "events: no logout"
    if "nonce" in claims:
        return "nonce: only ID tokens have one"
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI:
        return "jti: missing, or no text"
    return ""


def _whose_finding(claims: Mapping[str, Any]) -> str:
    if "sub" not in claims and "sid" not in claims:
        return "sub, sid: neither"
    for name in ("sub", "sid"):
        if name in claims and not is_subject(claims[name]):
            return f"{name}: nothing that can identify one"
    return ""
