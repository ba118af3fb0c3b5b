"""Single logout: a provider ends sessions here, or answers to ours there (SAML profiles, 4.4).

Every message is signed, theirs as well as ours, and counts once (SA-19). A request ends the
sessions that it names, with their open streams, in whatever browser they are: the signature says
that the provider wants it, and the browser only carries it. Where we have no key to sign an answer
with, the browser stays here.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from actions.login import pages
from actions.login.begin import refusal_page
from actions.login.logout import LOGGED_OUT, back_from_provider, sent_on, signed_out
from actions.login.pages import Words
from actions.login.protocol import Asking, Form, LoginRefused
from actions.login.session import Session, digest
from actions.login.sessions import end_all, provider_session_group, subject_group
from actions.login.visit import Visit
from actions.saml.answer import judged_by_provider, use_up
from actions.saml.form import BadForm, read_form
from actions.saml.identity import SERVICE, remembered_name, subject_of
from actions.saml.names import POST, REDIRECT, RESPONDER, SUCCESS
from actions.saml.parties import IdentityProvider, LogoutEndpoint, ServiceProvider
from actions.saml.paths import MAX_RELAY_STATE, RELAY_STATE, REQUEST, RESPONSE
from actions.saml.protocol import request_id_of
from actions.saml.service import service_of
from actions.saml.settings import Config
from policy.action import Respond
from policy.effect import Compute, Effect
from policy.store import StoreUnavailable

if TYPE_CHECKING:
    from actions.saml.logout import LogoutAccepted, LogoutRequest, LogoutVerdict

MESSAGES: Final = frozenset({REQUEST, RESPONSE})
MALFORMED: Final = "saml-logout-malformed"
NOT_PENDING: Final = "saml-logout-not-pending"
MALFORMED_CODE: Final = "ERR_NGROK_3120"
FOUND: Final = 302

NOT_SIGNED_OUT: Final = Words(
    title="This sign-out can't be completed",
    text="What the sign-in service sent can't be accepted. You may still be signed in here.",
)


def single_logout(at: Visit) -> Generator[Effect, Any, Respond[Any]]:
    """Answer a message about a logout."""
    config = at.config
    assert isinstance(config, Config)
    is_posted = at.request.method == "POST"
    try:
        fields = (yield from read_form(at, MESSAGES)) if is_posted else _query(at)
    except BadForm as bad:
        return _refused(at, MALFORMED, f"SAML: {bad}")
    service = service_of(config, at.exchange)
    state = fields.get(RELAY_STATE, "")
    judge = partial(
        _judged,
        fields if is_posted else at.request.url.query,
        service=service,
        request_id=request_id_of(digest(state)) if 0 < len(state) <= MAX_RELAY_STATE else None,
        now_ns=at.now_ns,
    )
    judged = yield from judged_by_provider(config, at.exchange, judge)
    if isinstance(judged, LoginRefused):
        return _refused(at, judged.reason, judged.detail, judged)
    provider, accepted = judged
    return (yield from _obeyed(at, provider, service, accepted))


def _query(at: Visit) -> Mapping[str, str]:
    """Return the parameters that say what to expect; the message is read from the octets."""
    if at.request.method != "GET":
        raise BadForm("it came by another method than GET and POST")
    parameters = at.request.url.query_params
    states = parameters.get(RELAY_STATE, [])
    return {RELAY_STATE: states[0]} if len(states) == 1 else {}


def _judged(
    received: str | Mapping[str, str],
    provider: IdentityProvider,
    *,
    service: ServiceProvider,
    request_id: str | None,
    now_ns: int,
) -> LogoutVerdict:
    from actions.saml.logout import Posted, validate_posted_logout, validate_redirected_logout

    if isinstance(received, str):
        return validate_redirected_logout(received, provider, service, request_id, now_ns)
    name: Any = REQUEST if REQUEST in received else RESPONSE
    posted = Posted(name=name, encoded=received[name], relay_state=received.get(RELAY_STATE))
    return validate_posted_logout(posted, provider, service, request_id, now_ns)


def _obeyed(
    at: Visit, provider: IdentityProvider, service: ServiceProvider, accepted: LogoutAccepted
) -> Generator[Effect, Any, Respond[Any]]:
    from actions.saml.logout import LogoutRequest

    message = accepted.message
    used = yield from use_up(provider, message.id, accepted.use_once_until_ns, at.now_ns)
    if used is not None:
        return _refused(at, used.reason, used.detail, used)
    if isinstance(message, LogoutRequest):
        return (yield from _ended(at, provider, service, message, accepted.relay_state))
    if not message.is_complete:
        at.exchange.warnings.append(f"logout: the provider says {message.status}")
    back = yield from back_from_provider(at, accepted.relay_state or "")
    return back or _refused(at, NOT_PENDING, "SAML: an answer to a logout that is over")


def _ended(
    at: Visit,
    provider: IdentityProvider,
    service: ServiceProvider,
    request: LogoutRequest,
    relay_state: str | None,
) -> Generator[Effect, Any, Respond[Any]]:
    """End what the provider names, and send the browser back to it with our answer."""
    keys = yield from _end_sessions(provider, service, request)
    own = set(map(digest, at.session_secrets))
    headers = (at.take_session(),) if not isinstance(keys, StoreUnavailable) and own & keys else ()
    if isinstance(keys, StoreUnavailable):
        at.exchange.warnings.append(f"logout: store: {keys.reason}")
    binding = POST if at.request.method == "POST" else REDIRECT
    endpoint = provider.logout_endpoint(binding) or next(iter(provider.logout_endpoints), None)
    if service.private_key is None or endpoint is None:
        return at.without_store(keys) if isinstance(keys, StoreUnavailable) else signed_out(at)
    compose = partial(
        _response,
        request_id_of(at.exchange.surroundings.random_bytes(32).hex()),
        at.now_ns,
        endpoint,
        service,
        in_response_to=request.id,
        status=RESPONDER if isinstance(keys, StoreUnavailable) else SUCCESS,
        relay_state=relay_state,
    )
    away: str | Form = yield Compute(run=compose)
    if isinstance(away, Form):
        return sent_on(away, headers)
    return Respond(
        status_code=FOUND,
        reason=LOGGED_OUT,
        headers=(("location", away), *headers, ("cache-control", "no-store")),
    )


def _end_sessions(
    provider: IdentityProvider, service: ServiceProvider, request: LogoutRequest
) -> Asking[frozenset[str] | StoreUnavailable]:
    """End the sessions of the named subject: those of the named indexes, or all without any."""
    from actions.saml.logout import is_same_subject

    name_id, url = request.name_id, provider.entity_id
    groups = [provider_session_group(url, index) for index in request.session_indexes]

    def is_meant(session: Session) -> bool:
        details = session.details
        return details.get(SERVICE) == service.entity_id and is_same_subject(
            remembered_name(details), name_id, provider, service
        )

    gone: frozenset[str] = frozenset()
    for group in groups or [subject_group(url, subject_of(name_id, provider, service))]:
        ended = yield from end_all(group, is_meant)
        if isinstance(ended, StoreUnavailable):
            return ended
        gone |= ended
    return gone


def _response(
    response_id: str,
    now_ns: int,
    endpoint: LogoutEndpoint,
    service: ServiceProvider,
    *,
    in_response_to: str,
    status: str,
    relay_state: str | None,
) -> str | Form:
    from actions.saml.logout_messages import logout_response, posted, redirected

    root = logout_response(
        response_id,
        now_ns,
        endpoint.response_url,
        service,
        in_response_to=in_response_to,
        status=status,
    )
    if endpoint.binding == REDIRECT:
        return redirected(root, RESPONSE, service, relay_state)
    fields = [(RESPONSE, posted(root, service))]
    if relay_state is not None:
        fields.append((RELAY_STATE, relay_state))
    return Form(url=endpoint.response_url, fields=tuple(fields))


def _refused(
    at: Visit, reason: str, detail: str, refused: LoginRefused | None = None
) -> Respond[Any]:
    """Tell a person that nothing was ended: 400, or what keeps us from knowing."""
    is_passing = refused is not None and refused.retry_after_s is not None
    return refusal_page(
        at,
        LoginRefused(
            status_code=refused.status_code if refused is not None and is_passing else 400,
            reason=reason,
            error_code=MALFORMED_CODE if refused is None else refused.error_code,
            detail=detail,
            retry_after_s=None if refused is None else refused.retry_after_s,
            words=pages.REFUSED[503] if is_passing else NOT_SIGNED_OUT,
        ),
    )
