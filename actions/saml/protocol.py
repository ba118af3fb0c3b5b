"""How a login by SAML goes (SAML profiles, section 4.1).

begin    the provider's metadata; our request, signed if we or the provider want it
finish   the response of the form, judged as a whole: see `answer`
renew    there is no way to ask about a user again: a changed configuration ends the session
end      our request for a single logout, if the provider takes any and we have a key
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from actions.login.protocol import (
    Asking,
    Challenge,
    Ended,
    Farewell,
    Form,
    LoggedIn,
    LoginProtocol,
    LoginRefused,
    Renewal,
)
from actions.login.public_origin import is_loopback
from actions.login.session import PendingLogin, Session, digest
from actions.saml.answer import signed_in
from actions.saml.identity import SERVICE, SESSION_INDEX, remembered_name
from actions.saml.names import POST, REDIRECT
from actions.saml.parties import IdentityProvider, ServiceProvider
from actions.saml.paths import ASSERTION_CONSUMER, RELAY_STATE, REQUEST, RESPONSE
from actions.saml.provider import PROVIDER_ERROR, get_provider, provider_name
from actions.saml.refusal import MessageRefused
from actions.saml.service import origin_of, service_of
from actions.saml.settings import Config
from policy.effect import Compute
from policy.exchange import Exchange

SET_UP_CODE: Final = "ERR_NGROK_2300"
SESSION_EXPIRED: Final = "ERR_NGROK_3100"


def begin(config: Config, exchange: Exchange, challenge: Challenge) -> Asking[str | LoginRefused]:
    """Return the address to send the browser to, with our request in it."""
    origin = origin_of(exchange)
    if not (origin.is_https or is_loopback(origin.host)):
        return LoginRefused(
            status_code=500,
            reason="saml-needs-https",
            error_code=SET_UP_CODE,
            detail=f"{origin.text}: browsers come back from the provider without the cookie of "
            "the login, which they keep for https only",
        )
    provider = yield from get_provider(config)
    if isinstance(provider, LoginRefused):
        return provider
    now_ns = exchange.surroundings.now_ns()
    if provider.valid_until_ns is not None and now_ns >= provider.valid_until_ns:
        return LoginRefused(
            status_code=502,
            reason="metadata-rejected",
            error_code=PROVIDER_ERROR,
            detail="the provider's metadata is past its validUntil",
        )
    compose = partial(
        _sign_in_url,
        request_id_of(digest(challenge.nonce)),
        now_ns,
        provider,
        service_of(config, exchange),
        relay_state=challenge.state,
        force_authn=challenge.force or config.force_authn,
    )
    try:
        url: str = yield Compute(run=compose)
    except MessageRefused as refused:
        return LoginRefused(
            status_code=500,
            reason=f"saml-{refused.reason}",
            error_code=SET_UP_CODE,
            detail=f"SAML: {refused.detail}",
        )
    return url


def _sign_in_url(
    request_id: str,
    now_ns: int,
    provider: IdentityProvider,
    service: ServiceProvider,
    *,
    relay_state: str,
    force_authn: bool,
) -> str:
    from actions.saml.authn_request import sign_in_url

    return sign_in_url(
        request_id, now_ns, provider, service, relay_state=relay_state, force_authn=force_authn
    )


def request_id_of(secret_digest: str) -> str:
    """Return the id of our message that belongs to a secret: 256 bits that nobody can foresee."""
    return f"_{secret_digest}"


def finish(
    config: Config, exchange: Exchange, pending: PendingLogin, parameters: Mapping[str, str]
) -> Asking[LoggedIn | LoginRefused]:
    """Return who has signed in, by the answer to the request that this browser was sent with."""
    is_fresh = pending.is_forced or config.force_authn
    return (
        yield from signed_in(
            config,
            exchange,
            parameters[RESPONSE],
            request_id=request_id_of(pending.nonce_digest),
            since_ns=pending.started_ns if is_fresh else None,
        )
    )


def renew(_config: Config, _exchange: Exchange, _session: Session) -> Asking[Renewal]:
    """End a session whose configuration has changed: only a new sign-in can tell what holds now."""
    yield from ()
    return Ended(reason="login-config-changed", error_code=SESSION_EXPIRED)


def end(
    config: Config, exchange: Exchange, session: Session, farewell: Farewell
) -> Asking[str | Form | None]:
    """Return our request for a logout; None if the provider takes none, or we can't sign it."""
    service = service_of(config, exchange)
    if service.private_key is None or session.details.get(SERVICE) != service.entity_id:
        return None
    provider = yield from get_provider(config)
    if isinstance(provider, LoginRefused):
        exchange.warnings.append(f"logout: {provider.detail}")
        return None
    if provider.entity_id != session.provider_url:
        return None
    compose = partial(
        _logout_request, session, farewell.state, provider, service, exchange.surroundings.now_ns()
    )
    message: str | Form | None = yield Compute(run=compose)
    return message


def _logout_request(
    session: Session,
    state: str,
    provider: IdentityProvider,
    service: ServiceProvider,
    now_ns: int,
) -> str | Form | None:
    """Write a request, for where the provider takes one; its answer comes back with `state`."""
    from actions.saml.logout_messages import logout_request, posted, redirected

    endpoint = provider.logout_endpoint(REDIRECT) or provider.logout_endpoint(POST)
    if endpoint is None:
        return None
    request = logout_request(
        request_id_of(digest(state)),
        now_ns,
        endpoint.url,
        service,
        name_id=remembered_name(session.details),
        session_index=session.details[SESSION_INDEX] or None,
    )
    if endpoint.binding == REDIRECT:
        return redirected(request, REQUEST, service, state)
    fields = ((REQUEST, posted(request, service)), (RELAY_STATE, state))
    return Form(url=endpoint.url, fields=fields)


PROTOCOL: Final = LoginProtocol(
    provider=provider_name,
    client_id=lambda config: config.entity_id or "",
    agreed=lambda config: config.agreed,
    begin=begin,
    finish=finish,
    renew=renew,
    end=end,
    callback_path=ASSERTION_CONSUMER,
    crosses_sites=True,
    event_name="saml",
)
