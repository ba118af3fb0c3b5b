"""Asks the provider about the user (OpenID Connect Core 1.0, section 5.3).

The answer is about the user of the ID token, or it is worth nothing (D2-23).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from actions.jose.strict_json import JsonError, parse_object
from actions.login.protocol import Asking, LoginRefused
from actions.oauth2.refusals import TOKEN_REJECTED, not_fetched, unexpected_status, unusable
from actions.openid_connect.metadata import Place
from policy.effect import Fetch, Fetched, FetchFailed
from policy.media_type import media_type

TIMEOUT_S: Final = 10.0
LIMIT_BYTES: Final = 256 * 1024
WHAT: Final = "the userinfo endpoint"
REFUSING: Final = frozenset({401, 403})
SIGNED: Final = "application/jwt"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoUserinfo:
    """No answer that counts. `refused` is what it means for a login.

    `kind` tells a provider that does not take the token, one that speaks of somebody else, and
    one that answers nothing of use.
    """

    kind: Literal["refused", "other-user", "none"]
    refused: LoginRefused


def get_userinfo(
    place: Place, *, access_token: str, subject: str
) -> Asking[Mapping[str, Any] | NoUserinfo]:
    """Return what the provider says about a user now."""
    answer: Fetched | FetchFailed = yield Fetch(
        url=place.url,
        headers=(("Accept", "application/json"), ("Authorization", f"Bearer {access_token}")),
        limit_bytes=LIMIT_BYTES,
        timeout_s=TIMEOUT_S,
        is_host_trusted=place.is_host_trusted,
    )
    return read_userinfo(answer, subject)


def read_userinfo(answer: Fetched | FetchFailed, subject: str) -> Mapping[str, Any] | NoUserinfo:
    """Read an answer: one JSON object about that user."""
    if isinstance(answer, FetchFailed):
        return NoUserinfo(kind="none", refused=not_fetched(WHAT, answer))
    if answer.status_code in REFUSING:
        return NoUserinfo(kind="refused", refused=unexpected_status(WHAT, answer))
    if answer.status_code != 200:
        return NoUserinfo(kind="none", refused=unexpected_status(WHAT, answer))
    if any(
        name.lower() == "content-type" and media_type(value) == SIGNED
        for name, value in answer.headers
    ):
        return NoUserinfo(kind="none", refused=unusable(WHAT, "signed, which is not supported"))
    try:
        claims = parse_object(answer.body)
    except JsonError as error:
        return NoUserinfo(kind="none", refused=unusable(WHAT, str(error)))
    found = claims.get("sub")
    if not isinstance(found, str) or not hmac.compare_digest(
        found.encode("utf-8"), subject.encode("utf-8")
    ):
        return NoUserinfo(kind="other-user", refused=_other_user())
    return claims


def _other_user() -> LoginRefused:
    return LoginRefused(
        status_code=502,
        reason="userinfo-of-other-user",
        error_code=TOKEN_REJECTED,
        detail=f"{WHAT}: sub: missing, or not the ID token's",
    )
