"""Finds, keeps and ends sessions: server-side records behind an opaque cookie.

    idle timeout     no request for so long: ended, whatever the cookie says
    absolute end     so long after the login: ended, however busy
    other scope      made by another login, endpoint, provider or client: not looked at
    several cookies  the one that is valid counts; of two valid ones, none (OA-10)

Times are checked here, and the store lets records end by its own clock too: a clock that is set
back keeps no idle session alive, and a busy one for no longer than it was set back by (OA-21).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any, Final

from actions.login.session import (
    IDENTITIES,
    MAX_SESSIONS_OF_A_USER,
    SESSIONS,
    Identity,
    Session,
    digest,
)
from actions.login.settings import LoginSettings
from actions.login.visit import Visit
from policy.effect import Effect
from policy.store import Record, StoreDelete, StoreFind, StoreGet, StorePut, StoreUnavailable

NS_PER_S: Final = 1_000_000_000
# An ended session is still known for a while, so that the log can say which end it was.
GRACE_NS: Final = 600 * NS_PER_S
# Activity is written down so often at most; idle timeouts are that precise.
TOUCH_NS: Final = 60 * NS_PER_S
TOUCHES_PER_IDLE_TIME: Final = 20
IDENTITY_DAYS: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSession:
    """There is none to go by. What it was is told apart for the log and for expressions."""

    has_timed_out: bool = False
    is_at_its_end: bool = False
    reason: str = "login-required"


NO_SESSION: Final = NoSession()
Found = Record[Session] | NoSession | StoreUnavailable


def find_session(at: Visit) -> Generator[Effect, Any, Found]:
    """Look for the session of a request."""
    valid: Record[Session] | None = None
    absence = NO_SESSION
    for secret in at.session_secrets:
        record = yield StoreGet(kind=SESSIONS, key=digest(secret))
        if isinstance(record, StoreUnavailable):
            return record
        if record is None or record.value.scope != at.scope:
            continue
        over = ended(record.value, at.config, at.now_ns)
        if over is not None:
            yield StoreDelete(kind=SESSIONS, key=record.key)
            absence = over
        elif valid is not None:
            return NO_SESSION
        else:
            valid = record
    return valid or absence


def ended(session: Session, config: LoginSettings, now_ns: int) -> NoSession | None:
    """Tell whether a session is over, and why."""
    if now_ns >= end_ns(session, config):
        return NoSession(is_at_its_end=True)
    idle_ns = idle_end_ns(session, config)
    if idle_ns is not None and now_ns >= idle_ns:
        return NoSession(has_timed_out=True)
    return None


def end_ns(session: Session, config: LoginSettings) -> int:
    """Return when a session ends, however busy it is."""
    return min(session.ends_ns, session.created_ns + config.max_session_duration)


def idle_end_ns(session: Session, config: LoginSettings) -> int | None:
    """Return when a session ends that nobody uses any more."""
    idle_ns = config.idle_ns
    return None if idle_ns is None else session.last_active_ns + idle_ns


def ttl_s(session: Session, config: LoginSettings, now_ns: int) -> float:
    """Return for how long the store has to keep a session."""
    until_ns = session.ends_ns
    if config.idle_ns is not None:
        until_ns = min(until_ns, session.last_active_ns + config.idle_ns)
    return max(until_ns - now_ns, 0) / NS_PER_S + GRACE_NS / NS_PER_S


def groups_of(session: Session) -> tuple[str, ...]:
    """Return what a session can be found by: its own id, its user, the provider's name for it."""
    groups = [
        session_group(session.id),
        identity_group(session.identity_id),
        subject_group(session.provider_url, session.person.subject),
    ]
    if session.provider_session:
        groups.append(provider_session_group(session.provider_url, session.provider_session))
    return tuple(groups)


def session_group(session_id: str) -> str:
    """Name a session by the id that people see."""
    return f"id:{session_id}"


def identity_group(identity: str) -> str:
    """Name all sessions of a user."""
    return f"identity:{identity}"


def subject_group(provider_url: str, subject: str) -> str:
    """Name all sessions of one user at a provider."""
    return f"subject:{digest(provider_url + chr(0) + subject)}"


def provider_session_group(provider_url: str, provider_session: str) -> str:
    """Name the sessions that belong to one of the provider's own."""
    return f"sid:{digest(provider_url + chr(0) + provider_session)}"


def end_all(
    group: str, is_meant: Callable[[Session], bool]
) -> Generator[Effect, Any, frozenset[str] | StoreUnavailable]:
    """End those sessions of a group that are meant, with their streams; returns their keys.

    A group holds no more than are looked at: beyond that its oldest sessions are gone already.
    """
    found = yield StoreFind(kind=SESSIONS, group=group, limit=MAX_SESSIONS_OF_A_USER)
    if isinstance(found, StoreUnavailable):
        return found
    keys = [record.key for record in found if is_meant(record.value)]
    for key in keys:
        gone = yield StoreDelete(kind=SESSIONS, key=key)
        if isinstance(gone, StoreUnavailable):
            return gone
    return frozenset(keys)


def touched(at: Visit, record: Record[Session]) -> Generator[Effect, Any, None]:
    """Write down that a session is in use, now and then."""
    now_ns = at.now_ns
    session = replace(record.value, last_active_ns=now_ns)
    # Whoever changed the session meanwhile has written the time too.
    yield put_session(record.key, session, at.config, now_ns, if_version=record.version)
    yield from note_identity(session, now_ns, has_logged_in=False)


def touch_ns(session: Session, config: LoginSettings) -> int:
    """Return when the time of a request is to be written down again."""
    step_ns = TOUCH_NS
    if config.idle_ns is not None:
        step_ns = min(step_ns, config.idle_ns // TOUCHES_PER_IDLE_TIME)
    return session.last_active_ns + step_ns


def put_session(
    key: str, session: Session, config: LoginSettings, now_ns: int, *, if_version: int | None = None
) -> StorePut:
    """Return the effect that writes a session."""
    return StorePut(
        kind=SESSIONS,
        key=key,
        value=session,
        ttl_s=ttl_s(session, config, now_ns),
        if_version=if_version,
        groups=groups_of(session),
    )


def identity_id(provider_url: str, subject: str) -> str:
    """Return the id of a user: the same at every login (D2-22: never the e-mail)."""
    return f"au_{digest(f'{provider_url}{chr(0)}{subject}')[:27]}"


def note_identity(
    session: Session, now_ns: int, *, has_logged_in: bool
) -> Generator[Effect, Any, None]:
    """Write down who was here. Nothing is decided by it, so a failure is no reason to refuse."""
    known = yield StoreGet(kind=IDENTITIES, key=session.identity_id)
    before = known.value if isinstance(known, Record) else None
    identity = Identity(
        id=session.identity_id,
        provider_name=session.provider_name,
        provider_url=session.provider_url,
        person=session.person,
        created_ns=now_ns if before is None else before.created_ns,
        last_active_ns=now_ns,
        last_login_ns=now_ns if has_logged_in or before is None else before.last_login_ns,
    )
    yield StorePut(
        kind=IDENTITIES,
        key=identity.id,
        value=identity,
        ttl_s=IDENTITY_DAYS * 86_400.0,
    )
