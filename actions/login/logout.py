"""Logs out: here, at the provider, and wherever the session is open (P13).

What happens depends on who asks:

    a person                  the session is ended, the cookie goes; then the provider's own
                              logout, where there is one, or the page that was asked for
    a link on another site    a page that asks first; an image or a script: 403 (OA-16)
    back from the provider    a page that says so, and does not begin another login
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, Final

from actions.login import pages
from actions.login.cookies import new_secret
from actions.login.navigation import is_from_elsewhere, is_subresource
from actions.login.paths import LOGOUT, REDIRECT_PATH, STATE, with_auth_id
from actions.login.protocol import Farewell, Form
from actions.login.return_target import HOME, asked_target, login_path
from actions.login.session import SESSIONS, Session, digest
from actions.login.visit import Visit
from policy.action import Continue, Outcome, Respond
from policy.effect import Effect
from policy.store import BadRecord, Kind, StoreGet, StorePut, StoreTake, StoreUnavailable

LOGGED_OUT: Final = "logged-out"
NOT_ASKED_FOR: Final = "logout-not-asked-for"
TO_BE_CONFIRMED: Final = "logout-to-be-confirmed"
METHOD_NOT_ALLOWED: Final = "logout-method"
FOUND: Final = 302
SEE_OTHER: Final = 303
AWAY_S: Final = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """Somebody who is logging out at the provider; `target` is where to go then, "" for none."""

    target: str


def _read_leaving(data: bytes) -> Leaving:
    try:
        return Leaving(target=data.decode())
    except UnicodeDecodeError:
        raise BadRecord("unreadable") from None


LEAVING: Final = Kind(
    name="leaving",
    encode=lambda leaving: leaving.target.encode(),
    decode=_read_leaving,
    max_entries=20_000,
)


def logout(at: Visit, *, is_last: bool) -> Generator[Effect, Any, Outcome[Any]]:
    """Answer a request for the logout path.

    It is left to another login of the endpoint, as long as there is one, if this one has no
    session to end.
    """
    request = at.request
    if request.method not in ("GET", "HEAD", "POST"):
        return _refused(at, 405, METHOD_NOT_ALLOWED, (("allow", "GET, HEAD, POST"),))
    if not is_last and not (yield from _has_session(at)):
        return Continue()
    back = yield from _returned(at)
    if back is not None:
        return back
    is_foreign = is_from_elsewhere(request, at.origin.text)
    if is_subresource(request) or (is_foreign and request.method == "POST"):
        return _refused(at, 403, NOT_ASKED_FOR)
    if is_foreign:
        return _to_be_confirmed(at)
    return (yield from _log_out(at))


def _has_session(at: Visit) -> Generator[Effect, Any, bool]:
    """Tell whether there is a session to end; a cookie alone may be of one that is long over."""
    for secret in at.session_secrets:
        if (yield StoreGet(kind=SESSIONS, key=digest(secret))) is not None:
            return True
    return False


def _log_out(at: Visit) -> Generator[Effect, Any, Respond[Any]]:
    has_target = REDIRECT_PATH in at.request.url.query_params
    target = asked_target(at.request) if has_target else ""
    away: str | Form | None = None
    for secret in at.session_secrets:
        found = yield StoreTake(kind=SESSIONS, key=digest(secret))
        if isinstance(found, StoreUnavailable):
            # The cookie stays: taking it away would look like a logout, and be none.
            return at.without_store(found)
        if found is not None and found.value.scope == at.scope:
            away = yield from _way_out(at, found.value, target)
    if away is None and not has_target:
        return signed_out(at)
    if isinstance(away, Form):
        return sent_on(away, headers=(at.take_session(),))
    return Respond(
        status_code=SEE_OTHER if at.request.method == "POST" else FOUND,
        reason=LOGGED_OUT,
        headers=(
            ("location", away or target),
            at.take_session(),
            ("cache-control", "no-store"),
        ),
        rules_may_replace=True,
    )


def sent_on(form: Form, headers: tuple[tuple[str, str], ...] = ()) -> Respond[Any]:
    """Answer with a page that takes a form to the provider."""
    body = pages.page(pages.TRAVELLING, form=pages.travelling_form(form.url, form.fields))
    answer = pages.respond(200, LOGGED_OUT, body, fields=pages.TRAVEL_FIELDS, headers=headers)
    return replace(answer, rules_may_replace=True)


def _way_out(at: Visit, session: Session, target: str) -> Generator[Effect, Any, str | Form | None]:
    """Return the provider's logout, prepared so that the browser finds its way back."""
    state = new_secret(at.exchange)
    return_to = at.origin.text + with_auth_id(LOGOUT, at.config.auth_id)
    farewell = Farewell(return_to=return_to, state=state)
    away = yield from at.protocol.end(at.config, at.exchange, session, farewell)
    if away is not None:
        yield StorePut(kind=LEAVING, key=digest(state), value=Leaving(target=target), ttl_s=AWAY_S)
    return away


def _returned(at: Visit) -> Generator[Effect, Any, Respond[Any] | None]:
    states = at.request.url.query_params.get(STATE, [])
    if len(states) != 1:
        return None
    return (yield from back_from_provider(at, states[0]))


def back_from_provider(at: Visit, state: str) -> Generator[Effect, Any, Respond[Any] | None]:
    """Answer who comes back from the provider's logout; None to whom we have not sent there."""
    found = yield StoreTake(kind=LEAVING, key=digest(state))
    if isinstance(found, StoreUnavailable):
        return at.without_store(found)
    if found is None:
        # A logout like any other.
        return None
    if not found.value.target:
        return signed_out(at)
    return Respond(
        status_code=FOUND,
        reason=LOGGED_OUT,
        headers=(("location", found.value.target), ("cache-control", "no-store")),
    )


def signed_out(at: Visit) -> Respond[Any]:
    """Answer with a page that says so, and begins no other login."""
    link = pages.Link(text="Sign in", path=login_path(at.config.auth_id, HOME))
    answer = pages.respond(
        200, LOGGED_OUT, pages.page(pages.SIGNED_OUT, link=link), headers=(at.take_session(),)
    )
    return replace(answer, rules_may_replace=True)


def _to_be_confirmed(at: Visit) -> Respond[Any]:
    query = f"?{at.request.url.query}" if at.request.url.query else ""
    form = pages.confirmation_form(f"{LOGOUT}{query}")
    reference = pages.reference_of(at.exchange)
    body = pages.page(pages.CONFIRM_LOGOUT, reference=reference, form=form)
    return pages.respond(200, TO_BE_CONFIRMED, body)


def _refused(
    at: Visit, status_code: int, reason: str, headers: tuple[tuple[str, str], ...] = ()
) -> Respond[Any]:
    body = pages.data(reason, pages.reference_of(at.exchange))
    return pages.respond(status_code, reason, body, fields=pages.DATA_FIELDS, headers=headers)
