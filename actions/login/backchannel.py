"""Ends sessions because their provider says so (OpenID Connect Back-Channel Logout 1.0).

Nobody is logged in to this request: what it brings is verified like a token. Every session that
it means is ended at once, with its open streams.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

from actions.login.protocol import LoginRefused, LogoutNotice
from actions.login.sessions import end_all, provider_session_group, subject_group
from actions.login.visit import READ_FAILED_CODE, RETRY, Visit
from policy.action import Respond
from policy.effect import Effect, ReadBody
from policy.media_type import FORM, media_type
from policy.store import StoreUnavailable

MAX_BODY: Final = 64 * 1024
UNAVAILABLE: Final = 503
BACKCHANNEL_LOGOUT: Final = "backchannel-logout"
BACKCHANNEL_LOGOUT_REFUSED: Final = "backchannel-logout-refused"
NO_STORE: Final = (("cache-control", "no-store"),)


def backchannel_logout(at: Visit) -> Generator[Effect, Any, Respond[Any]]:
    """Answer 200 when the sessions are gone, 400 for what can't be believed."""
    if at.protocol.logout_notice is None:
        return _refused(at, "logout-notices-not-supported")
    if at.request.method != "POST":
        return _refused(at, "logout-notice-method")
    if media_type(at.request.headers.first("content-type") or "") != FORM:
        return _refused(at, "logout-notice-content-type")
    body = yield ReadBody(limit_bytes=MAX_BODY)
    if body is None:
        return _refused(at, "logout-notice-too-large")
    notice = yield from at.protocol.logout_notice(at.config, at.exchange, body)
    if isinstance(notice, LoginRefused):
        if notice.status_code == UNAVAILABLE:
            return _refused(at, notice.reason, notice.detail, status_code=UNAVAILABLE)
        return _refused(at, notice.reason, notice.detail)
    failed = yield from end_sessions(at, notice)
    if failed is None and notice.remember is not None:
        remembered = yield notice.remember
        failed = remembered if isinstance(remembered, StoreUnavailable) else None
    if failed is not None:
        return _refused(at, failed.reason, status_code=UNAVAILABLE)
    return Respond(status_code=200, reason=BACKCHANNEL_LOGOUT, headers=NO_STORE)


def end_sessions(
    at: Visit, notice: LogoutNotice
) -> Generator[Effect, Any, StoreUnavailable | None]:
    """End every session that a notice means."""
    group = group_of(notice, at.protocol.provider(at.config, at.exchange)[1])
    ended = yield from end_all(
        group, lambda session: notice.subject in ("", session.person.subject)
    )
    return ended if isinstance(ended, StoreUnavailable) else None


def group_of(notice: LogoutNotice, provider_url: str) -> str:
    """Return the narrowest group that holds all sessions a notice means."""
    if notice.provider_session:
        return provider_session_group(provider_url, notice.provider_session)
    return subject_group(provider_url, notice.subject)


def _refused(at: Visit, reason: str, detail: str = "", *, status_code: int = 400) -> Respond[Any]:
    at.exchange.warnings.append(f"back-channel logout: {reason} {detail}".rstrip())
    is_later = status_code == UNAVAILABLE
    return Respond(
        status_code=status_code,
        reason=BACKCHANNEL_LOGOUT_REFUSED,
        headers=(*NO_STORE, RETRY) if is_later else NO_STORE,
        error_code=READ_FAILED_CODE if is_later else None,
    )
