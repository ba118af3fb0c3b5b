"""Reads what a provider has signed: a token of a known kind, by a key of its own (D1, JW-*).

Which algorithms count is ours to say, never the provider's or the token's: those with public
keys. A secret that both sides know proves nothing about who has signed (OA-5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeGuard

from actions.jose.algorithm import ALGORITHMS, Algorithm
from actions.jose.key import Key
from actions.jose.key_set import parse_key_set
from actions.jose.signature import signing_key
from actions.jose.strict_json import JsonError, parse_object
from actions.jose.token import Token, TokenError, parse_token
from actions.login.protocol import Asking, LoginRefused
from actions.oauth2.refusals import RETRY_AFTER_S
from actions.openid_connect.metadata import Place
from policy.effect import Document, GetDocument, Unavailable

ACCEPTED: Final[Mapping[str, Algorithm]] = {
    name: algorithm for name, algorithm in ALGORITHMS.items() if algorithm.key_type != "oct"
}
NO_KEYS: Final = "ERR_NGROK_3422"

LEEWAY_S: Final = 60
LAST_DATE: Final = 253_402_300_799  # the end of the year 9999


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SignedClaims:
    """Claims that a provider has signed, and how. What they say is still to be checked."""

    claims: Mapping[str, Any]
    algorithm: Algorithm
    key: Key


def key_set_request(keys: Place) -> GetDocument:
    """Ask for the key set of a provider."""
    return GetDocument(url=keys.url, parse=parse_key_set, is_host_trusted=keys.is_host_trusted)


def read_signed(text: str, keys: Place, kinds: frozenset[str]) -> Asking[SignedClaims | str]:
    """Verify who has signed a token; returns what is wrong with it where something is.

    `kinds` are the `typ` values that it may have, "" for none. Returns the claims, or a finding
    that shows nothing of the token. Keys that can't be had are KeysUnavailable.
    """
    try:
        token = parse_token(text)
        claims = parse_object(token.payload)
    except (TokenError, JsonError) as error:
        return str(error)
    algorithm = _algorithm(token)
    if algorithm is None:
        return "alg: not one of those that we accept"
    if token.media_type not in kinds:
        return "typ: another kind of token"
    key = yield from _signer(token, algorithm, keys)
    if key is None:
        return "signature: no key of the provider that fits has made it"
    return SignedClaims(claims=claims, algorithm=algorithm, key=key)


class KeysUnavailable(Exception):  # noqa: N818 - what is so, not what failed
    """The provider's keys can't be had now; `refused` says so at a login."""

    def __init__(self, detail: str) -> None:
        self.refused = LoginRefused(
            status_code=503,
            reason="keys-unavailable",
            error_code=NO_KEYS,
            detail=f"the key set: {detail}",
            retry_after_s=RETRY_AFTER_S,
        )
        super().__init__(detail)


def _algorithm(token: Token) -> Algorithm | None:
    name = token.algorithm
    return ACCEPTED.get(name) if isinstance(name, str) else None


def _signer(token: Token, algorithm: Algorithm, keys: Place) -> Asking[Key | None]:
    """Find the key; providers change theirs, so a newer set is asked for once (JW-5)."""
    request = key_set_request(keys)
    answer: Document | Unavailable = yield request
    if isinstance(answer, Unavailable):
        raise KeysUnavailable(answer.reason)
    key = signing_key(token, answer.value, algorithm)
    if key is not None:
        return key
    newer: Document | Unavailable = yield replace(request, newer_than=answer.version)
    if isinstance(newer, Document) and newer.version > answer.version:
        return signing_key(token, newer.value, algorithm)
    return None


def time_finding(claims: Mapping[str, Any], now_s: float, *, max_age_s: int) -> str:
    """Return what is wrong with `exp`, `iat` and `nbf`; "" for nothing (D2-17)."""
    for name in ("exp", "iat"):
        if not is_date(claims.get(name)):
            return f"{name}: missing, or no time"
    if now_s >= claims["exp"] + LEEWAY_S:
        return "exp: it has expired"
    if claims["iat"] - LEEWAY_S > now_s:
        return "iat: from the future"
    if now_s >= claims["iat"] + max_age_s + LEEWAY_S:
        return "iat: too long ago"
    if "nbf" in claims and not (is_date(claims["nbf"]) and claims["nbf"] - LEEWAY_S <= now_s):
        return "nbf: not valid yet, or no time"
    return ""


def is_date(value: object) -> TypeGuard[float]:
    """Tell whether a claim is a time (RFC 7519, section 2)."""
    return isinstance(value, int | float) and value is not True and 0 < value <= LAST_DATE


def audience_finding(claims: Mapping[str, Any], client_id: str, trusted: frozenset[str]) -> str:
    """Return what is wrong with `aud`; "" for nothing (D2-16)."""
    audiences = audiences_of(claims)
    if client_id not in audiences:
        return "aud: for another client"
    others = set(audiences) - trusted - {client_id}
    return "aud: for others too that are not among trusted_audiences" if others else ""


def audiences_of(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Return whom a token is for; nobody if that can't be read."""
    found = claims.get("aud")
    listed = found if isinstance(found, list) else [found]
    texts = [each for each in listed if isinstance(each, str)]
    return tuple(texts) if len(texts) == len(listed) else ()


def is_subject(value: object) -> bool:
    """Tell whether a value can identify a user (D2-22)."""
    return (
        isinstance(value, str) and 0 < len(value) <= 255 and value.isascii() and value.isprintable()
    )
