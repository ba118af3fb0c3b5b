"""Takes the browser back from the provider, and gives it a session.

The pending login is found by `state` and the browser's cookie together, and is used up before the
provider is asked for anything (D2-10). The session gets a new id, and the one that the browser
had before is ended (OA-9).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, Final

from actions.login.begin import PENDING_S, pending_key, refusal_page
from actions.login.cookies import new_secret
from actions.login.paths import AUTH_ID, STATE
from actions.login.protocol import LoggedIn, LoginRefused
from actions.login.return_target import HOME
from actions.login.session import (
    PENDING_LOGINS,
    SESSIONS,
    Browser,
    PendingLogin,
    Session,
    digest,
)
from actions.login.sessions import (
    NS_PER_S,
    find_session,
    identity_id,
    note_identity,
    put_session,
)
from actions.login.visit import Visit
from policy.action import Respond
from policy.effect import Effect
from policy.store import Record, StoreDelete, StoreTake, StoreUnavailable

# What is counted, by reason.
LOGINS: Final = "logins"

LOGGED_IN: Final = "logged-in"
ALREADY_LOGGED_IN: Final = "already-logged-in"
FOUND: Final = 302
SEE_OTHER: Final = 303
MAX_STATE: Final = 128
MAX_USER_AGENT: Final = 512

NOT_PENDING: Final = LoginRefused(
    status_code=400, reason="login-not-pending", error_code="ERR_NGROK_3121"
)
TOO_SLOW: Final = LoginRefused(
    status_code=400, reason="login-took-too-long", error_code="ERR_NGROK_3119"
)
BAD_CALLBACK: Final = LoginRefused(
    status_code=400, reason="callback-malformed", error_code="ERR_NGROK_3120"
)


def callback(at: Visit) -> Generator[Effect, Any, Respond[Any]]:
    """Answer the request that the provider sends the browser back with."""
    parameters = callback_parameters(at)
    if parameters is None:
        return counted(at, refusal_page(at, BAD_CALLBACK))
    pending = yield from take_pending(at, parameters[STATE])
    return counted(at, (yield from finished(at, pending, parameters)))


def counted(at: Visit, answer: Respond[Any]) -> Respond[Any]:
    """Count how a login went."""
    at.exchange.surroundings.count(LOGINS, answer.reason)
    return answer


def finished(
    at: Visit,
    pending: PendingLogin | LoginRefused | StoreUnavailable,
    parameters: Mapping[str, str],
) -> Generator[Effect, Any, Respond[Any]]:
    """Finish a login that was taken by `take_pending`, by what the provider says."""
    if isinstance(pending, StoreUnavailable):
        return at.without_store(pending)
    if isinstance(pending, LoginRefused):
        return (yield from _stale(at, pending))
    if at.now_ns >= pending.started_ns + PENDING_S * NS_PER_S:
        return (yield from _stale(at, TOO_SLOW, target=pending.target))
    outcome = yield from at.protocol.finish(at.config, at.exchange, pending, parameters)
    if isinstance(outcome, LoginRefused):
        return refusal_page(at, outcome, target=pending.target)
    return (yield from open_session(at, outcome, target=pending.target, before=pending.sessions))


def callback_parameters(at: Visit) -> Mapping[str, str] | None:
    """Return the parameters, each there once (D2-9); None for a request that is no callback."""
    if at.request.method not in ("GET", "HEAD"):
        return None
    parameters = at.request.url.query_params
    state = parameters.get(STATE, [])
    if any(len(values) != 1 for values in parameters.values()):
        return None
    if len(state) != 1 or not 0 < len(state[0]) <= MAX_STATE:
        return None
    return {name: values[0] for name, values in parameters.items() if name != AUTH_ID}


def take_pending(
    at: Visit, state: str
) -> Generator[Effect, Any, PendingLogin | LoginRefused | StoreUnavailable]:
    """Use up the login that this browser began under `state`."""
    for browser in at.browser_secrets:
        record = yield StoreTake(kind=PENDING_LOGINS, key=pending_key(state, browser))
        if isinstance(record, StoreUnavailable):
            return record
        if record is None:
            continue
        pending: PendingLogin = record.value
        is_ours = pending.scope == at.scope and pending.endpoint_id == at.exchange.endpoint.id
        return pending if is_ours else NOT_PENDING
    return NOT_PENDING


def _stale(
    at: Visit, refused: LoginRefused, *, target: str = HOME
) -> Generator[Effect, Any, Respond[Any]]:
    """Send on who is logged in already, in another tab for example (D2-39)."""
    found = yield from find_session(at)
    if isinstance(found, StoreUnavailable):
        return at.without_store(found)
    if not isinstance(found, Record):
        return refusal_page(at, refused, target=target)
    at.note(found.value)
    return Respond(
        status_code=FOUND,
        reason=ALREADY_LOGGED_IN,
        headers=(("location", target), ("cache-control", "no-store")),
    )


def open_session(
    at: Visit, logged_in: LoggedIn, *, target: str, before: tuple[str, ...] = ()
) -> Generator[Effect, Any, Respond[Any]]:
    """Make the session of a user who has just proved who it is, and lead on to the target.

    `before` are digests of the sessions that the browser is known to have had: they end.
    """
    secret = new_secret(at.exchange)
    session = new_session(at, logged_in)
    for old in dict.fromkeys((*map(digest, at.session_secrets), *before)):
        gone = yield StoreDelete(kind=SESSIONS, key=old)
        if isinstance(gone, StoreUnavailable):
            # Two sessions where the user knows of one: the older would outlive a logout.
            return at.without_store(gone)
    now_ns = session.created_ns
    stored = yield put_session(digest(secret), session, at.config, now_ns)
    if isinstance(stored, StoreUnavailable):
        return at.without_store(stored)
    yield from note_identity(session, now_ns, has_logged_in=True)
    at.note(session)
    return Respond(
        status_code=SEE_OTHER if at.request.method == "POST" else FOUND,
        reason=LOGGED_IN,
        headers=(
            ("location", target),
            at.give_session(secret, max_age_s=(session.ends_ns - now_ns) // NS_PER_S),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
        ),
    )


def new_session(at: Visit, logged_in: LoggedIn) -> Session:
    """Make the record of a login."""
    exchange, now_ns = at.exchange, at.now_ns
    provider_name, provider_url = logged_in.provider or at.protocol.provider(at.config, exchange)
    ends_ns = now_ns + at.config.max_session_duration
    if logged_in.ends_ns is not None:
        ends_ns = min(ends_ns, logged_in.ends_ns)
    return Session(
        id=f"as_{new_secret(exchange)[:27]}",
        scope=at.scope,
        auth_id=at.config.login_name,
        endpoint_id=exchange.endpoint.id,
        public_url=at.origin.text,
        provider_name=provider_name,
        provider_url=provider_url,
        identity_id=identity_id(provider_url, logged_in.person.subject),
        person=logged_in.person,
        tokens=logged_in.tokens,
        browser=browser_of(at),
        agreed=at.protocol.agreed(at.config),
        created_ns=now_ns,
        last_active_ns=now_ns,
        refreshed_ns=now_ns,
        ends_ns=ends_ns,
        provider_session=logged_in.provider_session,
        details=logged_in.details,
    )


def browser_of(at: Visit) -> Browser:
    """Describe where a login came from (language spec, section 7)."""
    address = at.exchange.connection.client_ip
    place = at.exchange.surroundings.intelligence.lookup(address).geo.location
    return Browser(
        user_agent=(at.request.headers.first("user-agent") or "")[:MAX_USER_AGENT],
        ip_address=address,
        country_code=place.country_code,
        latitude=place.latitude,
        longitude=place.longitude,
        radius_km=place.radius,
    )
