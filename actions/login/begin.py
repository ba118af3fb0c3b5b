"""Begins a login: remembers what it is for, and sends the browser to the provider.

Nothing of it stands in the URL that leaves us but opaque secrets. A browser has one cookie for
all its logins, so that they don't pile up; each tab's login is a record of its own, found by both
its state and that cookie (OA-1, OA-2).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

from actions.login import pages
from actions.login.cookies import new_secret
from actions.login.paths import with_auth_id
from actions.login.protocol import Challenge, LoginRefused
from actions.login.return_target import HOME, login_path
from actions.login.session import PENDING_LOGINS, PendingLogin, digest
from actions.login.visit import Visit
from policy.action import Respond
from policy.effect import Effect
from policy.net import AddressError, parse_address
from policy.store import StorePut, StoreUnavailable

PENDING_S: Final = 900
# So much longer it is remembered where a login was for, to begin it again.
REMEMBERED_S: Final = 3600
FOUND: Final = 302


def begin_login(
    at: Visit, *, target: str, reason: str, result: Any = None, force: bool = False
) -> Generator[Effect, Any, Respond[Any]]:
    """Answer with a redirect to the provider, or with a page that says why there is none."""
    exchange = at.exchange
    browser = at.browser_secrets[0] if at.browser_secrets else new_secret(exchange)
    challenge = Challenge(
        state=new_secret(exchange),
        nonce=new_secret(exchange),
        verifier=new_secret(exchange),
        redirect_uri=at.origin.text + with_auth_id(at.protocol.callback_path, at.config.auth_id),
        force=force,
    )
    url = yield from at.protocol.begin(at.config, exchange, challenge)
    if isinstance(url, LoginRefused):
        return refusal_page(at, url, target=target, result=result)
    stored = yield from remember(at, challenge, browser, target)
    if isinstance(stored, StoreUnavailable):
        return at.without_store(stored)
    return Respond(
        status_code=FOUND,
        reason=reason,
        headers=(
            ("location", url),
            at.give_browser(browser, max_age_s=REMEMBERED_S),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
        ),
        result=result,
    )


def remember(
    at: Visit, challenge: Challenge, browser: str, target: str
) -> Generator[Effect, Any, int | StoreUnavailable | None]:
    """Keep what the provider's answer will be held against."""
    pending = PendingLogin(
        scope=at.scope,
        auth_id=at.config.login_name,
        endpoint_id=at.exchange.endpoint.id,
        browser=digest(browser),
        target=target,
        redirect_uri=challenge.redirect_uri,
        started_ns=at.now_ns,
        nonce_digest=digest(challenge.nonce),
        verifier=challenge.verifier,
        is_forced=challenge.force,
        sessions=tuple(map(digest, at.session_secrets)),
    )
    stored: int | StoreUnavailable | None = yield StorePut(
        kind=PENDING_LOGINS,
        key=pending_key(challenge.state, browser),
        value=pending,
        ttl_s=REMEMBERED_S,
        groups=(f"browser:{pending.browser}", address_group(at.exchange.connection.client_ip)),
    )
    return stored


def address_group(client_ip: str) -> str:
    """Name all logins that one client has begun: of IPv6, everybody has a /64 and more (OA-13)."""
    try:
        address = parse_address(client_ip)
    except AddressError:
        return f"address:{client_ip}"
    return f"address:{address.value >> 64:x}::/64" if address.version == 6 else f"address:{address}"


def pending_key(state: str, browser: str) -> str:
    """Return where a login is kept: only both secrets together lead to it (OA-2)."""
    return digest(f"{state} {browser}")


def refusal_page(
    at: Visit, refused: LoginRefused, *, target: str = HOME, result: Any = None
) -> Respond[Any]:
    """Tell a person that a login did not work out, and the log why."""
    at.note(None)
    if refused.detail:
        at.exchange.warnings.append(f"login: {refused.detail}")
    retry = refused.retry_after_s
    body = pages.page(
        refused.words or pages.REFUSED.get(refused.status_code, pages.REFUSED[502]),
        reference=pages.reference_of(at.exchange),
        link=pages.Link(text=pages.SIGN_IN_AGAIN, path=login_path(at.config.auth_id, target)),
    )
    return pages.respond(
        refused.status_code,
        refused.reason,
        body,
        headers=() if retry is None else (("retry-after", str(retry)),),
        error_code=refused.error_code,
        result=result,
    )
