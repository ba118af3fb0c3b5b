"""Lets in who is logged in, and sends everyone else to the login (language spec, section 5.13).

A valid session goes on, renewed first where that is due. Without one:

    a page is opened           302 to the provider; the way back is kept on our side
    a script, form, WebSocket  401 with `WWW-Authenticate`, and where a login begins: a login page
                               would help nobody there (D2-38)
    the store is not there     503
    a WebSocket from another   403, logged in or not (T-WS-1)
    origin
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Final, TypeAlias

from actions.login import pages
from actions.login.begin import begin_login
from actions.login.navigation import is_foreign_websocket, is_navigation, is_preflight
from actions.login.protocol import LoginProtocol
from actions.login.renewal import Renewed, is_due, renewed
from actions.login.result import AS_USUAL, Circumstances
from actions.login.return_target import HOME, login_path, own_target
from actions.login.session import SESSIONS, Session, digest
from actions.login.sessions import (
    NoSession,
    ended,
    find_session,
    touch_ns,
    touched,
)
from actions.login.settings import LoginSettings
from actions.login.standing import LEASE_NS, check_of, keep_standing, let_in_again
from actions.login.visit import Visit, visit
from policy.action import ActionError, Continue, Outcome, Respond
from policy.effect import Effect
from policy.exchange import Check, Exchange
from policy.store import Record, StoreUnavailable

LOGIN_REQUIRED: Final = "login-required"
SESSION_TIMED_OUT: Final = "session-timed-out"
SESSION_AT_ITS_END: Final = "session-max-duration-reached"
FOREIGN_ORIGIN: Final = "websocket-cross-origin"

EXPIRED_CODE: Final = "ERR_NGROK_3100"
ORIGIN_CODE: Final = "ERR_NGROK_3213"

MakeResult: TypeAlias = Callable[[Session | None, Circumstances], Any]
Deciding: TypeAlias = Generator[Effect, Any, Outcome[Any]]


def guard(
    protocol: LoginProtocol[Any],
    config: LoginSettings,
    exchange: Exchange,
    make_result: MakeResult,
) -> Outcome[Any] | Deciding:
    """Decide one request: at once where its session is at hand and nothing is to be done."""
    admitted = let_in_again(protocol, config, exchange)
    if admitted is not None:
        return admitted
    if config.allow_cors_preflight and exchange.request and is_preflight(exchange.request):
        return Continue()
    at = visit(protocol, config, exchange)
    if isinstance(at, Respond):
        return at
    if is_foreign_websocket(at.request, at.origin.text):
        return _refused_websocket(at)
    found = session_at_hand(at)
    if found is None:
        return _decide(at, make_result)
    result = usual_result(found.value, make_result)
    admitted = _admitted(at, found, at.now_ns, result)
    if exchange.login is not None:
        keep_standing(at, found, result, exchange.login)
    return admitted


def session_at_hand(at: Visit) -> Record[Session] | None:
    """Return the session of a request that nothing needs to be done about; None if unsure."""
    secrets, config = at.session_secrets, at.config
    if len(secrets) != 1:
        return None
    key = digest(secrets[0])
    found = at.exchange.surroundings.record_at_hand(SESSIONS, key)
    if found is None or found.value.scope != at.scope:
        return None
    session: Session = found.value
    now_ns = at.now_ns
    if (
        ended(session, config, now_ns) is not None
        or is_due(session, config, at.protocol.agreed(config), now_ns)
        or (not at.exchange.is_readmission and now_ns >= touch_ns(session, config))
    ):
        return None
    at.exchange.records += ((SESSIONS.name, key),)
    return found


def _decide(at: Visit, make_result: MakeResult) -> Deciding:
    """Decide with whatever that takes: the store, the provider, a new login."""
    protocol, config, exchange = at.protocol, at.config, at.exchange
    found = yield from find_session(at)
    if isinstance(found, StoreUnavailable):
        return at.without_store(found)
    if isinstance(found, NoSession):
        return (yield from challenge(at, found, make_result))
    now_ns = at.now_ns
    if is_due(found.value, config, protocol.agreed(config), now_ns):
        after: Renewed = yield from renewed(at, found)
        if after.unavailable is not None:
            return at.without_store(after.unavailable)
        if after.session is None:
            absence = NoSession(reason=after.ended.reason if after.ended else LOGIN_REQUIRED)
            return (yield from challenge(at, absence, make_result))
        over = ended(after.session.value, config, at.now_ns)
        if over is not None:
            return (yield from challenge(at, over, make_result))
        circumstances = Circumstances(is_refreshed=after.is_fresh)
        result = make_result(after.session.value, circumstances)
        return _admitted(at, after.session, now_ns, result)
    if not exchange.is_readmission and now_ns >= touch_ns(found.value, config):
        yield from touched(at, found)
    return _admitted(at, found, now_ns, usual_result(found.value, make_result))


def usual_result(session: Session, make_result: MakeResult) -> Any:
    """Return what a session says of its user, made once for all requests that read it."""
    result = session.results.get(make_result)
    if result is None:
        result = session.results[make_result] = make_result(session, AS_USUAL)
    return result


def _admitted(at: Visit, record: Record[Session], now_ns: int, result: Any) -> Continue[Any]:
    """Let a request with a valid session go on; its streams are looked at again soon."""
    exchange, session = at.exchange, record.value
    at.note(session)
    if exchange.checks is not None:
        exchange.checks.append(check_of(session))
    return Continue(result, admitted_until_ns=min(now_ns + LEASE_NS, session.ends_ns))


def challenge(at: Visit, absence: NoSession, make_result: MakeResult) -> Deciding:
    """Send to the login who can log in, and tell everyone else that a login is needed."""
    reason = reason_of(absence)
    result = make_result(
        None,
        Circumstances(
            has_timed_out=absence.has_timed_out,
            is_at_its_end=absence.is_at_its_end,
            error=ActionError(code=EXPIRED_CODE, message=reason),
        ),
    )
    at.note(None)
    exchange, mode = at.exchange, at.config.unauthenticated
    if exchange.checks is not None:
        exchange.checks.append(Check(subject="session", passed=False, detail=reason))
    redirects = mode == "redirect" or (mode == "auto" and is_navigation(at.request))
    if redirects and not exchange.is_readmission:
        target = own_target(at.request)
        return (yield from begin_login(at, target=target, reason=reason, result=result))
    return unauthenticated(at, reason=reason, result=result)


def reason_of(absence: NoSession) -> str:
    """Return the code of why there is no session."""
    if absence.has_timed_out:
        return SESSION_TIMED_OUT
    return SESSION_AT_ITS_END if absence.is_at_its_end else absence.reason


def unauthenticated(at: Visit, *, reason: str, result: Any) -> Respond[Any]:
    """Answer 401, to a person who has sent a form with a page (OA-20), to programs with data."""
    url = at.origin.text + login_path(at.config.auth_id, own_target(at.request))
    reference = pages.reference_of(at.exchange)
    reads_html = any("text/html" in each for each in at.request.headers.all("accept"))
    if reads_html:
        link = pages.Link(text="Sign in", path=login_path(at.config.auth_id, HOME))
        body = pages.page(pages.SESSION_OVER, reference=reference, link=link)
    else:
        body = pages.data(LOGIN_REQUIRED, reference, login_url=url)
    # A scheme of our own: browsers ask for a password at those they know.
    scheme = f'Login realm="{at.origin.host}", login_uri="{url}"'
    return pages.respond(
        401,
        reason,
        body,
        fields=pages.PAGE_FIELDS if reads_html else pages.DATA_FIELDS,
        headers=(("www-authenticate", scheme),),
        error_code=EXPIRED_CODE,
        result=result,
    )


def _refused_websocket(at: Visit) -> Respond[Any]:
    """Answer 403 to a page of another site that would speak in a user's name."""
    at.note(None)
    body = pages.data(FOREIGN_ORIGIN, pages.reference_of(at.exchange))
    return pages.respond(
        403, FOREIGN_ORIGIN, body, fields=pages.DATA_FIELDS, error_code=ORIGIN_CODE
    )
