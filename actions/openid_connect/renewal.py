"""Asks the provider about a user again (OpenID Connect Core 1.0, section 12; OA-15, D2-29).

    the refresh token is refused       ended
    an ID token of another user        ended, with an alert in the log; also one out of order
    userinfo of another user           ended, with an alert
    userinfo refuses the token         ended
    500, timeout, nonsense, other no   kept until the session's own end
    no new ID token                    kept; what userinfo says is new

Once the provider has given new tokens they are kept, whatever else fails: the old refresh token
may be used up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from actions.login.protocol import (
    Asking,
    Ended,
    Kept,
    LoggedIn,
    LoginRefused,
    Renewal,
)
from actions.login.session import Session, Tokens
from actions.oauth2.refusals import TOKEN_REJECTED
from actions.oauth2.token_endpoint import NotGranted, TokenEndpoint, kept_tokens, refresh
from actions.openid_connect.id_token import (
    IdTokenRules,
    kept_claims,
    read_id_token,
    renewal_finding,
)
from actions.openid_connect.identity import merged_claims, person_of
from actions.openid_connect.metadata import Metadata
from actions.openid_connect.signed_claims import KeysUnavailable
from actions.openid_connect.userinfo import NoUserinfo, get_userinfo
from policy.exchange import Exchange

SESSION_EXPIRED: Final = "ERR_NGROK_3100"
NO_LONGER_VALID: Final = "invalid_grant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewing:
    """What a renewal goes by."""

    exchange: Exchange
    metadata: Metadata
    endpoint: TokenEndpoint
    rules: IdTokenRules
    session: Session
    accept_unverified_email: bool


def renewal(renewing: Renewing) -> Asking[Renewal]:
    """Ask with the refresh token where there is one, else with the access token."""
    session = renewing.session
    if session.tokens.refresh_token:
        return (yield from _refreshed(renewing))
    if renewing.metadata.userinfo is None:
        return Kept(reason="renewal-not-possible")
    expires_ns = session.tokens.expires_ns
    if expires_ns is not None and renewing.exchange.surroundings.now_ns() >= expires_ns:
        return Kept(reason="renewal-without-refresh-token")
    known = kept_claims(session.tokens.id_token)
    return (yield from _asked_about(renewing, session.tokens, known, has_vouched=False))


def _refreshed(renewing: Renewing) -> Asking[Renewal]:
    session = renewing.session
    answer = yield from refresh(renewing.endpoint, refresh_token=session.tokens.refresh_token)
    if isinstance(answer, NotGranted):
        if answer.error == NO_LONGER_VALID:
            return Ended(reason="refresh-refused", error_code=SESSION_EXPIRED)
        return _kept(renewing, answer.refused)
    now_ns = renewing.exchange.surroundings.now_ns()
    tokens = kept_tokens(answer, now_ns=now_ns, before=session.tokens)
    known = kept_claims(session.tokens.id_token)
    is_new = False
    # Some send along what they gave at the login: nothing new, and too old for anything new.
    if answer.id_token and answer.id_token != session.tokens.id_token:
        try:
            claims = yield from read_id_token(
                answer.id_token,
                renewing.metadata,
                renewing.rules,
                access_token=answer.access_token,
                now_ns=now_ns,
            )
        except KeysUnavailable as unavailable:
            _note(renewing, unavailable.refused)
            return _with_tokens(session, _without_id_token(tokens, session))
        if isinstance(claims, LoginRefused):
            return _ended(renewing, claims.reason, claims.detail)
        if claims["sub"] != session.person.subject:
            return _ended(renewing, "renewal-of-other-user", "the ID token: sub: another user")
        finding = renewal_finding(claims, session.details)
        if finding:
            return _ended(renewing, "id-token-rejected", f"the ID token: {finding}")
        known, is_new = claims, True
    if renewing.metadata.userinfo is not None:
        return (yield from _asked_about(renewing, tokens, known, has_vouched=True))
    return _renewed(renewing, tokens, known, {}) if is_new else _with_tokens(session, tokens)


def _asked_about(
    renewing: Renewing, tokens: Tokens, known: Mapping[str, Any], *, has_vouched: bool
) -> Asking[Renewal]:
    """Ask for userinfo. `has_vouched`: the provider has just given the tokens."""
    session, place = renewing.session, renewing.metadata.userinfo
    assert place is not None
    answer = yield from get_userinfo(
        place, access_token=tokens.access_token, subject=session.person.subject
    )
    if not isinstance(answer, NoUserinfo):
        return _renewed(renewing, tokens, known, answer)
    if answer.kind == "other-user":
        return _ended(renewing, "renewal-of-other-user", answer.refused.detail)
    if answer.kind == "refused":
        return Ended(reason="userinfo-refused", error_code=SESSION_EXPIRED)
    if not has_vouched:
        return _kept(renewing, answer.refused)
    _note(renewing, answer.refused)
    return _with_tokens(session, tokens)


def _renewed(
    renewing: Renewing, tokens: Tokens, known: Mapping[str, Any], userinfo: Mapping[str, Any]
) -> LoggedIn:
    session = renewing.session
    claims = merged_claims(known, userinfo) | {"sub": session.person.subject}
    accepts = renewing.accept_unverified_email
    return LoggedIn(
        person=person_of(claims, accept_unverified_email=accepts),
        tokens=tokens,
        provider_session=session.provider_session,
        details=session.details,
    )


def _with_tokens(session: Session, tokens: Tokens) -> LoggedIn:
    return LoggedIn(
        person=session.person,
        tokens=tokens,
        provider_session=session.provider_session,
        details=session.details,
        is_person_renewed=False,
    )


def _without_id_token(tokens: Tokens, session: Session) -> Tokens:
    """Return new tokens with the old ID token: nobody could verify the new one."""
    return Tokens(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        id_token=session.tokens.id_token,
        expires_ns=tokens.expires_ns,
    )


def _kept(renewing: Renewing, refused: LoginRefused) -> Kept:
    _note(renewing, refused)
    return Kept(reason=refused.reason)


def _ended(renewing: Renewing, reason: str, detail: str) -> Ended:
    session = renewing.session
    renewing.exchange.warnings.append(f"ALERT: session {session.id} ended: {reason}: {detail}")
    return Ended(reason=reason, error_code=TOKEN_REJECTED)


def _note(renewing: Renewing, refused: LoginRefused) -> None:
    renewing.exchange.warnings.append(f"session {renewing.session.id}: {refused.detail}")
