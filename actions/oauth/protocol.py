"""How `oauth` logs in: a code for a token, and the token for what the provider's API says.

    begin    to the provider, with PKCE where it knows that
    finish   the code becomes a token; the token has to be ours; the API says whose it is
    renew    the API is asked again, with a refreshed token where the old one is over or refused
    end      these providers have no logout of theirs that we could send anybody to

Whatever a provider answers with is believed about a user only if its API gave it over TLS, for
the token just received (D2-25).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from actions.login.protocol import (
    Asking,
    Challenge,
    Ended,
    Farewell,
    Kept,
    LoggedIn,
    LoginProtocol,
    LoginRefused,
    Renewal,
)
from actions.login.session import PendingLogin, Person, Session, Tokens
from actions.oauth.api import TOKEN_REFUSED, ApiError
from actions.oauth.profile import Grant
from actions.oauth.providers import endpoints_at
from actions.oauth.settings import Config
from actions.oauth2.authorization_request import authorization_parameters, with_parameters
from actions.oauth2.callback import code_of
from actions.oauth2.client_authentication import Client
from actions.oauth2.refusals import refused_by
from actions.oauth2.token_endpoint import (
    Granted,
    NotGranted,
    TokenEndpoint,
    kept_tokens,
    redeem_code,
    refresh,
)
from policy.exchange import Exchange
from policy.oauth_endpoints import OauthEndpoints

EARLY_NS: Final = 10 * 1_000_000_000
PKCE_PARAMETERS: Final = frozenset({"code_challenge", "code_challenge_method"})
# Answers to a refresh that say nothing about the user: the session goes on until it is over.
NOT_ABOUT_THE_USER: Final = frozenset(
    {
        "incorrect_client_credentials", "invalid_client", "server_error",
        "temporarily_unavailable", "unauthorized_client",
    }
)  # fmt: skip

ACCESS_TOKEN_EXPIRED: Final = "access-token-expired"  # noqa: S105 - a code
REFRESH_REFUSED: Final = "refresh-refused"
OTHER_USER: Final = "renewal-of-other-user"
SESSION_OVER: Final = "ERR_NGROK_3100"


def provider(config: Config, exchange: Exchange) -> tuple[str, str]:
    """Name the provider, and where it is."""
    return config.chosen_provider.title, _origin(_endpoints(config, exchange).authorization_url)


def client_id(config: Config) -> str:
    """Return what the provider calls us."""
    return config.client_id or ""


def begin(config: Config, exchange: Exchange, challenge: Challenge) -> Asking[str | LoginRefused]:
    """Return the address of a new login."""
    yield from ()
    asked = authorization_parameters(
        challenge,
        client_id=client_id(config),
        scopes=config.all_scopes,
        extra=_extra(config, is_forced=challenge.force),
    )
    if not config.chosen_provider.pkce:
        asked = {name: value for name, value in asked.items() if name not in PKCE_PARAMETERS}
    return with_parameters(_endpoints(config, exchange).authorization_url, asked)


def _extra(config: Config, *, is_forced: bool) -> dict[str, str]:
    """Return a policy's parameters with those that this provider wants, ours first."""
    provider = config.chosen_provider
    lasting = provider.lasting if config.userinfo_refresh_interval is not None else {}
    extra = {**provider.always, **lasting, **config.authz_url_params}
    if not is_forced:
        return extra
    # What else the user is to be asked remains; to be asked nothing does not.
    prompts = [each for each in extra.get("prompt", "").split() if each != "none"]
    extra |= provider.forced
    if prompts and "prompt" in provider.forced:
        extra["prompt"] = " ".join(dict.fromkeys([provider.forced["prompt"], *prompts]))
    return extra


def finish(
    config: Config, exchange: Exchange, pending: PendingLogin, parameters: Mapping[str, str]
) -> Asking[LoggedIn | LoginRefused]:
    """Turn the answer that a browser brings into a user."""
    endpoints = _endpoints(config, exchange)
    code = code_of(parameters, issuer=_issuer(endpoints, parameters))
    if isinstance(code, LoginRefused):
        return code
    granted = yield from redeem_code(
        _token_endpoint(config, endpoints),
        code=code,
        verifier=pending.verifier if config.chosen_provider.pkce else "",
        redirect_uri=pending.redirect_uri,
    )
    if isinstance(granted, NotGranted):
        return _refused(config, granted)
    try:
        person = yield from _identified(config, endpoints, granted.access_token)
    except ApiError as error:
        return error.refused
    return LoggedIn(person=person, tokens=_tokens(granted, exchange))


def renew(config: Config, exchange: Exchange, session: Session) -> Asking[Renewal]:
    """Ask about a user again."""
    tokens = session.tokens
    now_ns = exchange.surroundings.now_ns()
    if tokens.expires_ns is None or now_ns < tokens.expires_ns - EARLY_NS:
        try:
            endpoints = _endpoints(config, exchange)
            person = yield from _identified(config, endpoints, tokens.access_token)
        except ApiError as error:
            if error.refused.reason != TOKEN_REFUSED:
                return _not_renewed(error)
        else:
            return _renewed(exchange, session, person, tokens)
    if not tokens.refresh_token:
        return Ended(reason=ACCESS_TOKEN_EXPIRED, error_code=SESSION_OVER)
    return (yield from _refreshed(config, exchange, session))


def end(
    _config: Config, _exchange: Exchange, _session: Session, _farewell: Farewell
) -> Asking[str | None]:
    """Return nothing: the user stays logged in at the provider."""
    yield from ()
    return None


PROTOCOL: Final[LoginProtocol[Config]] = LoginProtocol(
    provider=provider,
    client_id=client_id,
    agreed=lambda config: config.agreed,
    begin=begin,
    finish=finish,
    renew=renew,
    end=end,
)


def _refreshed(config: Config, exchange: Exchange, session: Session) -> Asking[Renewal]:
    endpoints = _endpoints(config, exchange)
    granted = yield from refresh(
        _token_endpoint(config, endpoints), refresh_token=session.tokens.refresh_token
    )
    if isinstance(granted, NotGranted):
        if granted.kind == "refused" and granted.error not in NOT_ABOUT_THE_USER:
            return Ended(reason=REFRESH_REFUSED, error_code=SESSION_OVER)
        return Kept(reason=granted.refused.reason)
    tokens = _tokens(granted, exchange, before=session.tokens)
    try:
        person = yield from _identified(config, endpoints, tokens.access_token)
    except ApiError as error:
        renewal = _not_renewed(error)
        if isinstance(renewal, Ended):
            return renewal
        # The old refresh token may be used up: what the session has to keep is the new one.
        exchange.warnings.append(f"login: {error.refused.detail}")
        return LoggedIn(person=session.person, tokens=tokens, is_person_renewed=False)
    return _renewed(exchange, session, person, tokens)


def _renewed(exchange: Exchange, session: Session, person: Person, tokens: Tokens) -> Renewal:
    if person.subject == session.person.subject:
        return LoggedIn(person=person, tokens=tokens)
    exchange.warnings.append(f"login: session {session.id}: the provider names another user")
    return Ended(reason=OTHER_USER, error_code=SESSION_OVER)


def _not_renewed(error: ApiError) -> Renewal:
    refused = error.refused
    if refused.status_code >= 500 and refused.reason != TOKEN_REFUSED:
        return Kept(reason=refused.reason)
    return Ended(reason=refused.reason, error_code=refused.error_code)


def _identified(config: Config, endpoints: OauthEndpoints, token: str) -> Asking[Person]:
    """Ask whether a token is ours, then whose it is; raises ApiError."""
    grant = Grant(
        token=token,
        client_id=client_id(config),
        client_secret=config.client_secret or "",
        endpoints=endpoints,
        scopes=config.all_scopes,
        takes_unverified_email=config.accept_unverified_email,
    )
    yield from config.chosen_provider.check(grant)
    return (yield from config.chosen_provider.user(grant))


def _tokens(granted: Granted, exchange: Exchange, before: Tokens | None = None) -> Tokens:
    """Return the tokens to keep: no ID token, of which nothing was verified."""
    now_ns = exchange.surroundings.now_ns()
    return replace(kept_tokens(granted, now_ns=now_ns, before=before), id_token="")


def _refused(config: Config, granted: NotGranted) -> LoginRefused:
    """Return why there is no token; GitHub has its errors with the status 200."""
    if granted.kind == "refused" and config.provider == "github":
        return refused_by(granted.error, granted.refused.detail)
    return granted.refused


def _token_endpoint(config: Config, endpoints: OauthEndpoints) -> TokenEndpoint:
    client = Client(
        id=client_id(config),
        secret=config.client_secret or "",
        method=config.chosen_provider.authentication,
    )
    return TokenEndpoint(url=endpoints.tokens_url, client=client, is_host_trusted=True)


def _endpoints(config: Config, exchange: Exchange) -> OauthEndpoints:
    overrides = exchange.surroundings.oauth_providers
    return endpoints_at(config.chosen_provider, overrides, config.provider)


def _issuer(endpoints: OauthEndpoints, parameters: Mapping[str, str]) -> str | None:
    """Return what an `iss` has to be where one is sent: anything at the provider's own origin.

    Not all of them say what theirs is, and some have one for each organisation (RFC 9207).
    """
    named = parameters.get("iss")
    if named is None:
        return None
    ours = _origin(endpoints.authorization_url)
    return named if _origin(named) == ours else ours


# Of the providers' own addresses, and of what they send back as `iss`.
@lru_cache(maxsize=64)
def _origin(url: str) -> str:
    """Return scheme and host of a URL; the whole text where it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else url
