"""Verifies ID tokens (OpenID Connect Core 1.0, sections 3.1.3.7 and 12.2; D2-14 to D2-22, D2-29).

    at every token   signature, iss, aud, azp, exp, iat, nbf, sub, at_hash where it is there
    at a login       nonce always; auth_time and acr if the policy asks for max_age, acr_values
    at a renewal     the same user and the same login as before

Nothing in a token switches a check off.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from actions.jose import base64url
from actions.jose.strict_json import JsonError, parse_object
from actions.jose.token import TokenError, parse_token
from actions.login.protocol import Asking, LoginRefused
from actions.login.session import digest
from actions.oauth2.refusals import BAD_NONCE, INTERACTION, TOKEN_REJECTED
from actions.openid_connect.metadata import Metadata
from actions.openid_connect.settings import OpenIdSettings
from actions.openid_connect.signed_claims import (
    LEEWAY_S,
    SignedClaims,
    audience_finding,
    audiences_of,
    is_date,
    is_subject,
    read_signed,
    time_finding,
)

# ID tokens have no `typ` of their own; what says that it is something else is not one (D1-8).
KINDS: Final = frozenset({"", "jwt", "id_token+jwt", "it+jwt"})
# A token is made for the login or renewal that it is the answer to.
MAX_AGE_S: Final = 600
NS_PER_S: Final = 1_000_000_000

# What of a login its renewals have to agree with.
AUTH_TIME: Final = "auth_time"
NONCE_DIGEST: Final = "nonce_digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTokenRules:
    """What is asked of a token; `max_age_s` None and no `acr_values` ask nothing."""

    client_id: str
    trusted_audiences: frozenset[str] = frozenset()
    max_age_s: int | None = None
    acr_values: frozenset[str] = frozenset()


def rules_of(config: OpenIdSettings) -> IdTokenRules:
    """Return what a configuration asks of ID tokens."""
    return IdTokenRules(
        client_id=config.client_id,
        trusted_audiences=frozenset(config.trusted_audiences),
        max_age_s=config.max_age_s,
        acr_values=config.acr_values,
    )


def read_id_token(
    text: str, metadata: Metadata, rules: IdTokenRules, *, access_token: str, now_ns: int
) -> Asking[Mapping[str, Any] | LoginRefused]:
    """Return the claims of a token in order; raises KeysUnavailable."""
    signed = yield from read_signed(text, metadata.keys, KINDS)
    if isinstance(signed, str):
        return rejected(signed)
    finding = (
        _party_finding(signed.claims, metadata.issuer, rules)
        or time_finding(signed.claims, now_ns / NS_PER_S, max_age_s=MAX_AGE_S)
        or _subject_finding(signed.claims)
        or _access_token_finding(signed, access_token)
    )
    return rejected(finding) if finding else signed.claims


def check_login(
    claims: Mapping[str, Any], rules: IdTokenRules, *, nonce_digest: str, now_ns: int
) -> LoginRefused | None:
    """Check that a token answers the login that this browser began."""
    nonce = claims.get("nonce")
    shown = digest(nonce) if isinstance(nonce, str) else ""
    if not nonce_digest or not hmac.compare_digest(shown, nonce_digest):
        return LoginRefused(
            status_code=400,
            reason="nonce-mismatch",
            error_code=BAD_NONCE,
            detail="the ID token: nonce: missing, or of another login",
        )
    return check_demands(claims, rules, now_ns=now_ns)


def check_demands(
    claims: Mapping[str, Any], rules: IdTokenRules, *, now_ns: int
) -> LoginRefused | None:
    """Check that a login was as recent, and of the kind, as the policy demands (D2-20, D2-21)."""
    if rules.max_age_s is not None:
        since = claims.get("auth_time")
        if not is_date(since) or now_ns / NS_PER_S > since + rules.max_age_s + LEEWAY_S:
            return _not_enough(
                "authentication-too-old", "auth_time: missing, or longer ago than max_age"
            )
    acr = claims.get("acr")
    if rules.acr_values and not (isinstance(acr, str) and acr in rules.acr_values):
        return _not_enough("authentication-context-refused", "acr: none of the acr_values")
    return None


def details_of(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a login its renewals have to agree with."""
    nonce = claims.get("nonce")
    details = {NONCE_DIGEST: digest(nonce)} if isinstance(nonce, str) else {}
    return details | ({AUTH_TIME: claims[AUTH_TIME]} if AUTH_TIME in claims else {})


def renewal_finding(claims: Mapping[str, Any], details: Mapping[str, Any]) -> str:
    """Return why a renewed token is not of the same login; "" if it is (Core, section 12.2)."""
    if AUTH_TIME in claims and details.get(AUTH_TIME, claims[AUTH_TIME]) != claims[AUTH_TIME]:
        return "auth_time: of another login"
    if "nonce" in claims:
        nonce, known = claims["nonce"], str(details.get(NONCE_DIGEST, ""))
        shown = digest(nonce) if isinstance(nonce, str) else ""
        if not hmac.compare_digest(shown, known):
            return "nonce: of another login"
    return ""


def rejected(finding: str) -> LoginRefused:
    """Refuse a token; `finding` shows nothing of it but names of claims."""
    return LoginRefused(
        status_code=502,
        reason="id-token-rejected",
        error_code=TOKEN_REJECTED,
        detail=f"the ID token: {finding}",
    )


def kept_claims(text: str) -> Mapping[str, Any]:
    """Return the claims of a token that was verified when it came; none if there is none."""
    try:
        return parse_object(parse_token(text).payload)
    except (TokenError, JsonError):
        return {}


def _party_finding(claims: Mapping[str, Any], issuer: str, rules: IdTokenRules) -> str:
    if claims.get("iss") != issuer:
        return "iss: another issuer"
    finding = audience_finding(claims, rules.client_id, rules.trusted_audiences)
    if finding:
        return finding
    if "azp" not in claims:
        return "azp: missing, with several audiences" if len(audiences_of(claims)) > 1 else ""
    return "" if claims["azp"] == rules.client_id else "azp: given to another client"


def _subject_finding(claims: Mapping[str, Any]) -> str:
    if not is_subject(claims.get("sub")):
        return "sub: missing, or nothing that can identify a user"
    sid = claims.get("sid", "-")
    return "" if is_subject(sid) else "sid: nothing that can identify a session"


def _access_token_finding(signed: SignedClaims, access_token: str) -> str:
    claimed = signed.claims.get("at_hash")
    if claimed is None:
        return ""
    wanted = half_hash(access_token, signed)
    is_same = isinstance(claimed, str) and hmac.compare_digest(
        claimed.encode("utf-8", "surrogateescape"), wanted.encode("ascii")
    )
    return "" if is_same else "at_hash: of another access token"


def half_hash(text: str, signed: SignedClaims) -> str:
    """Return the left half of a text's hash, by the hash function of a signature.

    Core, section 3.1.3.6. Ed448 hashes with SHAKE256 (RFC 8032, section 5.2).
    """
    data = text.encode("ascii")
    if signed.key.curve == "Ed448":
        whole = hashlib.shake_256(data).digest(114)
    else:
        whole = hashlib.new(f"sha{signed.algorithm.hash_bytes * 8}", data).digest()
    return base64url.encode(whole[: len(whole) // 2])


def _not_enough(reason: str, finding: str) -> LoginRefused:
    return LoginRefused(
        status_code=403,
        reason=reason,
        error_code=INTERACTION,
        detail=f"the ID token: {finding}",
    )
