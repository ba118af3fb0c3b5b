"""What a login leaves behind for expressions (language spec, section 3.12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Final

from actions.login.session import Session
from policy.action import ActionError, Doc

NS_PER_S: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityResult:
    id: Annotated[str, Doc("The user's id here.")] = ""
    email: Annotated[str, Doc('The e-mail address, if the provider verified it; else "".')] = ""
    name: Annotated[str, Doc("The user's name.")] = ""
    provider_user_id: Annotated[str, Doc("The user's id at the provider.")] = ""
    current_session_id: Annotated[str, Doc("The session's id.")] = ""
    current_provider_session_id: Annotated[str, Doc("The same under its other name.")] = ""
    username: Annotated[str, Doc("Extension. The name to log in with, where there is one.")] = ""
    claims: Annotated[
        dict[str, Any], Doc("Extension. What else the provider says, in its own words.")
    ]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Result:
    access_token: Annotated[str, Doc("The provider's access token.")] = ""
    refresh_token: Annotated[str, Doc("The provider's refresh token.")] = ""
    expires_at: Annotated[str, Doc("When the access token ends (RFC 3339).")] = ""
    session_timed_out: Annotated[bool, Doc("The session had lain idle for too long.")] = False
    session_max_duration_reached: Annotated[bool, Doc("The session was at its end.")] = False
    userinfo_refreshed: Annotated[bool, Doc("The provider was just asked about the user.")] = False
    user_info_refreshed: Annotated[bool, Doc("The same under its other name.")] = False
    identity: Annotated[IdentityResult, Doc("Who is logged in.")]
    error: Annotated[ActionError | None, Doc("Why nobody is logged in.")] = None


NOBODY: Final = IdentityResult(claims={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What happened to a session on the way to a result."""

    has_timed_out: bool = False
    is_at_its_end: bool = False
    is_refreshed: bool = False
    error: ActionError | None = None


AS_USUAL: Final = Circumstances()


def identity_of(session: Session) -> IdentityResult:
    """Say who is logged in."""
    person = session.person
    return IdentityResult(
        id=session.identity_id,
        email=person.email,
        name=person.name,
        provider_user_id=person.subject,
        current_session_id=session.id,
        current_provider_session_id=session.id,
        username=person.username,
        claims=_as_dict(person.claims),
    )


def common_parts(session: Session | None, circumstances: Circumstances) -> dict[str, Any]:
    """Return the parts of a result that all login actions have."""
    return {
        "identity": NOBODY if session is None else identity_of(session),
        "session_timed_out": circumstances.has_timed_out,
        "session_max_duration_reached": circumstances.is_at_its_end,
        "error": circumstances.error,
    }


def token_parts(session: Session | None, circumstances: Circumstances) -> dict[str, Any]:
    """Return the parts that come with OAuth tokens."""
    refreshed = {
        "userinfo_refreshed": circumstances.is_refreshed,
        "user_info_refreshed": circumstances.is_refreshed,
    }
    if session is None:
        return refreshed
    tokens = session.tokens
    return {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "expires_at": "" if tokens.expires_ns is None else moment(tokens.expires_ns),
        **refreshed,
    }


def make_result(session: Session | None, circumstances: Circumstances) -> Result:
    """Make the result of an action with OAuth tokens."""
    return Result(**common_parts(session, circumstances), **token_parts(session, circumstances))


def moment(time_ns: int) -> str:
    """Write a time as RFC 3339, in UTC."""
    return _second(time_ns // NS_PER_S)


# A session's tokens end at the same second for all of its requests.
@lru_cache(maxsize=4096)
def _second(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _as_dict(claims: Mapping[str, Any]) -> dict[str, Any]:
    return claims if isinstance(claims, dict) else dict(claims)
