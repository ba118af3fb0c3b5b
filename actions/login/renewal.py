"""Asks the provider about a user again, once for all requests that find it due (OA-14, OA-15).

    in one process        whoever comes while it is going on waits for the same answer
    in several, one store a lease in the store: one asks, the others wait for the new session
    the client goes away  it is finished all the same: a refresh token is good for one use, and
                          the answer to it must not be lost

What comes back is written over the very version that was read. A session that was ended
meanwhile stays ended.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from actions.login.protocol import Asking, Ended, Kept, LoggedIn, Renewal
from actions.login.session import SESSIONS, Session, digest
from actions.login.sessions import NS_PER_S, put_session
from actions.login.settings import LoginSettings
from actions.login.visit import Visit
from policy.effect import Effect, Once, Wait
from policy.store import (
    ABSENT,
    BadRecord,
    Kind,
    Record,
    StoreDelete,
    StoreGet,
    StorePut,
    StoreUnavailable,
)

# No request to a provider takes longer, so a lease that nobody renews is a dead process's.
LEASE_S: Final = 15.0
POLL_S: Final = 0.1
WAITS: Final = 250
WRITES: Final = 5
# What a provider has just given is worth waiting for a store that fails over.
WRITE_AGAIN_S: Final = 1.0
# An access token that ends within so long is of no use to an upstream any more.
EARLY_NS: Final = 10 * NS_PER_S
RETRY_NS: Final = 30 * NS_PER_S

# What is counted, by how it ended.
RENEWALS: Final = "renewals"

A = TypeVar("A")


def _read_lease(data: bytes) -> bytes:
    if len(data) > 64:
        raise BadRecord("too-long")
    return data


LEASES: Final = Kind(name="lease", encode=bytes, decode=_read_lease, max_entries=100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """The session as it stands now; `session` None when it is over.

    `is_fresh` tells that the provider has just answered. `ended` says why it is over.
    """

    session: Record[Session] | None
    is_fresh: bool = False
    ended: Ended | None = None
    unavailable: StoreUnavailable | None = None


def is_due(session: Session, config: LoginSettings, agreed: str, now_ns: int) -> bool:
    """Tell whether the provider is to be asked again before this session counts."""
    if session.agreed != agreed:
        return True
    due = due_ns(session, config)
    return due is not None and now_ns >= due


def due_ns(session: Session, config: LoginSettings) -> int | None:
    """Return when the provider is to be asked again about what was agreed; None for never."""
    moments = []
    if config.userinfo_refresh_interval is not None:
        moments.append(session.refreshed_ns + config.userinfo_refresh_interval)
    expires_ns = session.tokens.expires_ns
    if expires_ns is not None and session.tokens.refresh_token:
        # Of a token that lasts for seconds only, half its time is early enough.
        early_ns = min(EARLY_NS, max(expires_ns - session.refreshed_ns, 0) // 2)
        moments.append(expires_ns - early_ns)
    return max(min(moments), session.retry_ns) if moments else None


def renewed(at: Visit, record: Record[Session]) -> Generator[Effect, Any, Renewed]:
    """Renew a session that is due, or wait for whoever does."""

    def work() -> Generator[Effect, Any, Renewed]:
        return _renewed_alone(at, record.key)

    # Endpoints that share a session may ask for different things.
    agreed = digest(at.protocol.agreed(at.config))
    answer: Renewed = yield Once(name=f"renew:{record.key}:{agreed}", work=work)
    return answer


def _renewed_alone(at: Visit, key: str) -> Asking[Renewed]:
    agreed = at.protocol.agreed(at.config)
    for _ in range(WAITS):
        found = yield StoreGet(kind=SESSIONS, key=key)
        if isinstance(found, StoreUnavailable):
            return Renewed(session=None, unavailable=found)
        if found is None:
            return Renewed(session=None)
        if not is_due(found.value, at.config, agreed, at.now_ns):
            # Another process has done it.
            return Renewed(session=found, is_fresh=True)
        lease = yield StorePut(kind=LEASES, key=key, value=b"", ttl_s=LEASE_S, if_version=ABSENT)
        if isinstance(lease, StoreUnavailable):
            return Renewed(session=None, unavailable=lease)
        if lease is not None:
            asking = at.protocol.renew(at.config, at.exchange, found.value)
            renewal: Renewal = yield from _keeping_lease(asking, key)
            outcome = yield from _write(at, found, renewal)
            yield StoreDelete(kind=LEASES, key=key)
            at.exchange.surroundings.count(RENEWALS, _sort_of(renewal))
            return outcome
        yield Wait(seconds=POLL_S)
    return Renewed(session=None, unavailable=StoreUnavailable(reason="renewal-takes-too-long"))


def _sort_of(renewal: Renewal) -> str:
    match renewal:
        case LoggedIn():
            return "renewed"
        case Kept():
            return "kept"
        case Ended():
            return "ended"


def _write(at: Visit, asked: Record[Session], renewal: Renewal) -> Asking[Renewed]:
    """Write down what came of it, over whatever has happened to the session meanwhile."""
    agreed, now_ns = at.protocol.agreed(at.config), at.now_ns
    is_person_renewed = isinstance(renewal, LoggedIn) and renewal.is_person_renewed
    # What was agreed to before says nothing about what is asked for now.
    is_over = isinstance(renewal, Ended) or (asked.value.agreed != agreed and not is_person_renewed)
    trouble = StoreUnavailable(reason="session-keeps-changing")
    for _ in range(WRITES):
        current = yield StoreGet(kind=SESSIONS, key=asked.key)
        if isinstance(current, StoreUnavailable):
            trouble = current
            yield Wait(seconds=WRITE_AGAIN_S)
            continue
        if current is None:
            return Renewed(session=None)
        if is_over and current.value.tokens.refresh_token != asked.value.tokens.refresh_token:
            # Somebody else's refresh was first, which is why ours was refused.
            return Renewed(session=current)
        if is_over:
            yield StoreDelete(kind=SESSIONS, key=asked.key)
            return Renewed(session=None, ended=renewal if isinstance(renewal, Ended) else CHANGED)
        after = _after(current.value, renewal, agreed, now_ns)
        if not at.exchange.is_readmission:
            # A stream that stays open is nobody who does something.
            after = replace(after, last_active_ns=now_ns)
        put = put_session(asked.key, after, at.config, now_ns, if_version=current.version)
        version = yield put
        if isinstance(version, StoreUnavailable):
            trouble = version
            yield Wait(seconds=WRITE_AGAIN_S)
        elif version is not None:
            stored = Record(key=asked.key, value=after, version=version)
            return Renewed(session=stored, is_fresh=is_person_renewed)
    return Renewed(session=None, unavailable=trouble)


# The provider was asked because the policy has changed, and could not be asked.
CHANGED: Final = Ended(reason="login-config-changed", error_code="ERR_NGROK_3100")


def _after(session: Session, renewal: Renewal, agreed: str, now_ns: int) -> Session:
    if not isinstance(renewal, LoggedIn):
        return replace(session, retry_ns=now_ns + RETRY_NS)
    ends_ns = session.ends_ns if renewal.ends_ns is None else min(session.ends_ns, renewal.ends_ns)
    return replace(
        session,
        person=renewal.person,
        tokens=renewal.tokens,
        details=renewal.details or session.details,
        provider_session=renewal.provider_session or session.provider_session,
        agreed=agreed,
        refreshed_ns=now_ns if renewal.is_person_renewed else session.refreshed_ns,
        retry_ns=0 if renewal.is_person_renewed else now_ns + RETRY_NS,
        ends_ns=ends_ns,
    )


def _keeping_lease(asking: Asking[A], key: str) -> Asking[A]:
    """Go through the provider's answers one by one, and keep the lease alive meanwhile."""
    answer: Any = None
    while True:
        try:
            effect = asking.send(answer)
        except StopIteration as end:
            result: A = end.value
            return result
        yield StorePut(kind=LEASES, key=key, value=b"", ttl_s=LEASE_S)
        answer = yield effect
