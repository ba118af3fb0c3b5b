"""How a login with an OpenID provider goes (OpenID Connect Core 1.0, section 3.1).

    begin    the provider's metadata; the address of the login, with PKCE, state and nonce
    finish   whose answer it is; the code for tokens; the ID token; what userinfo adds
    renew    see `renewal`
    end      the provider's own logout, if it has one

The provider may be down when we start, and any time later: its metadata and keys are fetched when
they are needed, kept fresh, and serve on while it is away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from actions.login.protocol import (
    Asking,
    Challenge,
    Ended,
    Farewell,
    Kept,
    LoggedIn,
    LoginProtocol,
    LoginRefused,
    LogoutNotice,
    Renewal,
)
from actions.login.session import PendingLogin, Session
from actions.oauth2.authorization_request import (
    authorization_parameters,
    forced_prompt,
    with_parameters,
)
from actions.oauth2.callback import code_of
from actions.oauth2.client_authentication import Client
from actions.oauth2.token_endpoint import (
    Granted,
    NotGranted,
    TokenEndpoint,
    kept_tokens,
    redeem_code,
)
from actions.openid_connect.end_session import end_session_url
from actions.openid_connect.id_token import (
    check_demands,
    check_login,
    details_of,
    kept_claims,
    read_id_token,
    rejected,
    rules_of,
)
from actions.openid_connect.identity import merged_claims, person_of
from actions.openid_connect.logout_token import read_logout_notice
from actions.openid_connect.metadata import Metadata, get_metadata, metadata_request
from actions.openid_connect.pushed_authorization import push_authorization
from actions.openid_connect.renewal import Renewing, renewal
from actions.openid_connect.settings import OpenIdSettings
from actions.openid_connect.signed_claims import KeysUnavailable
from actions.openid_connect.userinfo import NoUserinfo, get_userinfo
from policy.effect import Document, Unavailable
from policy.exchange import Exchange


def begin(
    config: OpenIdSettings, exchange: Exchange, challenge: Challenge
) -> Asking[str | LoginRefused]:
    """Return the address to send the browser to."""
    metadata = yield from get_metadata(config.issuer_url)
    if isinstance(metadata, LoginRefused):
        return metadata
    if not metadata.has_pkce:
        exchange.warnings.append(f"login: {metadata.issuer} does not say that it knows S256")
    extra = config.authz_url_params
    parameters = authorization_parameters(
        challenge,
        client_id=config.client_id,
        scopes=config.asked_scopes,
        extra=forced_prompt(extra) if challenge.force else extra,
    ) | {"nonce": challenge.nonce}
    if metadata.pushed_authorization is None:
        return with_parameters(metadata.authorization_url, parameters)
    name = yield from push_authorization(
        metadata.pushed_authorization, client_of(config, metadata), parameters
    )
    if isinstance(name, LoginRefused):
        return name
    return with_parameters(
        metadata.authorization_url, {"client_id": config.client_id, "request_uri": name}
    )


def finish(
    config: OpenIdSettings,
    exchange: Exchange,
    pending: PendingLogin,
    parameters: Mapping[str, str],
) -> Asking[LoggedIn | LoginRefused]:
    """Return who has logged in. The code goes to nobody but whom this login was begun with."""
    metadata = yield from get_metadata(config.issuer_url)
    if isinstance(metadata, LoginRefused):
        return metadata
    code = code_of(parameters, issuer=metadata.issuer, announces_issuer=metadata.announces_issuer)
    if isinstance(code, LoginRefused):
        return code
    granted = yield from redeem_code(
        token_endpoint_of(config, metadata),
        code=code,
        verifier=pending.verifier,
        redirect_uri=pending.redirect_uri,
    )
    if isinstance(granted, NotGranted):
        return granted.refused
    try:
        return (yield from _logged_in(config, exchange, pending, metadata, granted))
    except KeysUnavailable as unavailable:
        return unavailable.refused


def _logged_in(
    config: OpenIdSettings,
    exchange: Exchange,
    pending: PendingLogin,
    metadata: Metadata,
    granted: Granted,
) -> Asking[LoggedIn | LoginRefused]:
    if not granted.id_token:
        return rejected("there is none")
    now_ns, rules = exchange.surroundings.now_ns(), rules_of(config)
    claims = yield from read_id_token(
        granted.id_token, metadata, rules, access_token=granted.access_token, now_ns=now_ns
    )
    if isinstance(claims, LoginRefused):
        return claims
    refused = check_login(claims, rules, nonce_digest=pending.nonce_digest, now_ns=now_ns)
    if refused is not None:
        return refused
    userinfo: Mapping[str, Any] = {}
    if metadata.userinfo is not None:
        answer = yield from get_userinfo(
            metadata.userinfo, access_token=granted.access_token, subject=claims["sub"]
        )
        if isinstance(answer, NoUserinfo):
            return answer.refused
        userinfo = answer
    accepts = config.accept_unverified_email
    return LoggedIn(
        person=person_of(merged_claims(claims, userinfo), accept_unverified_email=accepts),
        tokens=kept_tokens(granted, now_ns=now_ns),
        provider_session=claims.get("sid", ""),
        details=details_of(claims),
    )


def renew(config: OpenIdSettings, exchange: Exchange, session: Session) -> Asking[Renewal]:
    """Ask about the user again; who would have to log in otherwise now, has to do that."""
    rules = rules_of(config)
    if session.agreed != config.agreed:
        known, now_ns = kept_claims(session.tokens.id_token), exchange.surroundings.now_ns()
        refused = check_demands(known, rules, now_ns=now_ns)
        if refused is not None:
            return Ended(reason=refused.reason, error_code=refused.error_code)
    metadata = yield from get_metadata(config.issuer_url)
    if isinstance(metadata, LoginRefused):
        exchange.warnings.append(f"session {session.id}: {metadata.detail}")
        return Kept(reason=metadata.reason)
    return (
        yield from renewal(
            Renewing(
                exchange=exchange,
                metadata=metadata,
                endpoint=token_endpoint_of(config, metadata),
                rules=rules,
                session=session,
                accept_unverified_email=config.accept_unverified_email,
            )
        )
    )


def end(
    config: OpenIdSettings, _exchange: Exchange, session: Session, farewell: Farewell
) -> Asking[str | None]:
    """Return the provider's logout; None where it has none, or none is known at the moment."""
    answer: Document | Unavailable = yield metadata_request(config.issuer_url)
    if isinstance(answer, Unavailable) or not answer.value.end_session_url:
        return None
    return end_session_url(
        answer.value.end_session_url,
        client_id=config.client_id,
        id_token=session.tokens.id_token,
        farewell=farewell,
    )


def logout_notice(
    config: OpenIdSettings, exchange: Exchange, body: bytes
) -> Asking[LogoutNotice | LoginRefused]:
    """Read what the provider posts when a user has logged out there."""
    metadata = yield from get_metadata(config.issuer_url)
    if isinstance(metadata, LoginRefused):
        return metadata
    now_ns = exchange.surroundings.now_ns()
    try:
        return (yield from read_logout_notice(body, metadata, rules_of(config), now_ns=now_ns))
    except KeysUnavailable as unavailable:
        return unavailable.refused


def client_of(config: OpenIdSettings, metadata: Metadata) -> Client:
    """Return us, as this provider wants us to prove it."""
    return Client(
        id=config.client_id, secret=config.client_secret, method=metadata.client_authentication
    )


def token_endpoint_of(config: OpenIdSettings, metadata: Metadata) -> TokenEndpoint:
    """Return where codes and refresh tokens are exchanged."""
    return TokenEndpoint(
        url=metadata.token.url,
        client=client_of(config, metadata),
        is_host_trusted=metadata.token.is_host_trusted,
    )


def provider(config: OpenIdSettings, _exchange: Exchange) -> tuple[str, str]:
    """Return the provider's name for people, and its URL."""
    return config.provider_name, config.issuer_url


PROTOCOL: Final = LoginProtocol(
    provider=provider,
    client_id=lambda config: config.client_id,
    agreed=lambda config: config.agreed,
    begin=begin,
    finish=finish,
    renew=renew,
    end=end,
    logout_notice=logout_notice,
)
