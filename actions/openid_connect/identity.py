"""Who the user is, from what the provider says (OpenID Connect Core 1.0, section 5.1).

A user is identified by issuer and `sub`, never by an address. An address counts if the provider
says, in the same breath, that it is verified; and if it can be read in one way only (OA-7).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from actions.login.email import plain_email
from actions.login.session import Person

MAX_NAME: Final = 512

# About the token or the login, not about the user: only the ID token can tell.
OF_THE_TOKEN: Final = frozenset(
    {
        "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time", "nonce", "acr", "amr", "azp",
        "at_hash", "c_hash", "s_hash", "sid", "events",
    }
)  # fmt: skip
OF_NO_USE_LATER: Final = frozenset({"nonce", "at_hash", "c_hash", "s_hash"})
OF_THE_EMAIL: Final = ("email", "email_verified")


def merged_claims(id_token: Mapping[str, Any], userinfo: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that is known of a user; userinfo is newer, and never speaks for the token."""
    known = {name: value for name, value in id_token.items() if name not in OF_NO_USE_LATER}
    said = {name: value for name, value in userinfo.items() if name not in OF_THE_TOKEN}
    if any(name in said for name in OF_THE_EMAIL):
        # An address and whether it is verified belong together.
        known = {name: value for name, value in known.items() if name not in OF_THE_EMAIL}
    return known | said


def person_of(claims: Mapping[str, Any], *, accept_unverified_email: bool) -> Person:
    """Return the user whom claims are about; their `sub` is checked before."""
    return Person(
        subject=claims["sub"],
        email=email_of(claims, accept_unverified=accept_unverified_email),
        name=_text(claims, "name"),
        username=_text(claims, "preferred_username") or _text(claims, "nickname"),
        claims=claims,
    )


def email_of(claims: Mapping[str, Any], *, accept_unverified: bool = False) -> str:
    """Return the address of a user, its domain in lower case; "" if there is none to rely on.

    `accept_unverified` is for providers that say nothing about it; a no remains a no.
    """
    is_verified = claims.get("email_verified", accept_unverified) is True
    return plain_email(claims.get("email")) if is_verified else ""


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value[:MAX_NAME] if isinstance(value, str) else ""
