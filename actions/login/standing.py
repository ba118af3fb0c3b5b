"""Lets a session in again that was let in just before, without looking at all of it once more.

A session that was good for one request is good for the next one like it, up to the first moment
at which something is to be done: its end, its renewal, a note that it is in use. Whether it is
still there is asked every time, so that whoever is logged out is out at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from actions.login.cookies import SECRET_CHARACTERS
from actions.login.protocol import LoginProtocol
from actions.login.renewal import due_ns
from actions.login.session import SESSIONS, Session, digest
from actions.login.sessions import NS_PER_S, end_ns, idle_end_ns, touch_ns
from actions.login.settings import LoginSettings
from actions.login.visit import Visit
from policy.action import Continue
from policy.exchange import Check, Endpoint, Exchange, Login
from policy.oauth_endpoints import OauthEndpoints
from policy.store import Record

# The keys of sessions that were just asked for, by their secrets: few, and in this memory only,
# which the cookies that they came in are in as well (policy.own_cookies).
key_of = lru_cache(maxsize=1024)(digest)

# Open streams ask again so often, which is how soon a logout elsewhere ends them (T-WS-4).
LEASE_NS: Final = 5 * NS_PER_S


@dataclass(slots=True, kw_only=True)
class Standing:
    """What a session was good for, and what came of it.

    All that its scope is made of is here: configuration, endpoint, host, and of the surroundings
    where providers are. The rest of them is large, and sessions outlive it.
    """

    config: LoginSettings
    endpoint: Endpoint
    oauth_providers: Mapping[str, OauthEndpoints]
    host: str
    until_ns: int
    result: Any
    login: Login
    records: tuple[tuple[str, str], ...]


def let_in_again(
    protocol: LoginProtocol[Any], config: LoginSettings, exchange: Exchange
) -> Continue[Any] | None:
    """Let in at once who was let in just before; None where everything has to be looked at."""
    request, own, endpoint = exchange.request, exchange.own_cookies, exchange.endpoint
    if request is None or not own:
        return None
    # A preflight needs no session, and a WebSocket of another origin is of no use with one.
    if request.method == "OPTIONS" or "upgrade" in request.headers.notable:
        return None
    shown = own.get(config.session_cookies[endpoint.protocol == "https"])
    if shown is None or len(shown) != 1 or len(shown[0]) != SECRET_CHARACTERS:
        return None
    surroundings = exchange.surroundings
    found = surroundings.record_at_hand(SESSIONS, key_of(shown[0]))
    if found is None:
        return None
    session: Session = found.value
    standing: Standing | None = session.results.get(id(config))
    now_ns = surroundings.now_ns()
    if (
        standing is None
        or now_ns >= standing.until_ns
        or standing.config is not config
        or standing.endpoint is not endpoint
        or standing.oauth_providers is not surroundings.oauth_providers
        or standing.host != request.public_url.host
        or session.agreed != protocol.agreed(config)
    ):
        return None
    exchange.records += standing.records
    exchange.login = standing.login
    if exchange.checks is not None:
        exchange.checks.append(check_of(session))
    lease_ns = now_ns + LEASE_NS
    return Continue(standing.result, min(session.ends_ns, lease_ns))


def check_of(session: Session) -> Check:
    """Return what is to be said of a session that lets a request in."""
    return Check(subject="session", passed=True, detail=f"{session.id} of {session.identity_id}")


def keep_standing(at: Visit, record: Record[Session], result: Any, login: Login) -> None:
    """Take note that a session was let in, and that nothing was to be done about it."""
    config, exchange, session = at.config, at.exchange, record.value
    session.results[id(config)] = Standing(
        config=config,
        endpoint=exchange.endpoint,
        oauth_providers=exchange.surroundings.oauth_providers,
        host=at.request.public_url.host,
        until_ns=quiet_until_ns(session, config),
        result=result,
        login=login,
        records=((SESSIONS.name, record.key),),
    )


def quiet_until_ns(session: Session, config: LoginSettings) -> int:
    """Return the first moment at which something is to be done about a session."""
    moments = (end_ns(session, config), idle_end_ns(session, config), due_ns(session, config))
    return min(touch_ns(session, config), *(each for each in moments if each is not None))
