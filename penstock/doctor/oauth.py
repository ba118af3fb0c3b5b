"""Examines a provider of `oauth`: it publishes nothing about itself, so what can be is tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from actions.oauth.providers import Provider, endpoints_at
from actions.oauth.settings import Config
from actions.oauth2.client_authentication import Client
from actions.oauth2.token_endpoint import Granted, NotGranted, TokenEndpoint
from penstock.doctor.finding import Finding, doubtful, fine
from penstock.doctor.logins import Login
from penstock.doctor.network import Answer, ask, check_reached, get
from penstock.doctor.probe import probe
from policy.oauth_endpoints import OauthEndpoints
from proxy.fetcher import Fetcher


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Evidence:
    """What a provider answered at each of its addresses."""

    login: Login
    settings: Config
    endpoints: OauthEndpoints
    authorization: Answer
    tokens: Answer
    api: Answer
    probe: Granted | NotGranted | None = None

    @property
    def provider(self) -> Provider:
        """The provider that is examined."""
        return self.settings.chosen_provider

    @property
    def answers(self) -> list[Answer]:
        """All answers that came."""
        return [self.authorization, self.tokens, self.api]


async def gather(
    login: Login, settings: Config, fetcher: Fetcher, redirect_uri: str | None
) -> Evidence:
    """Ask a provider; with a `redirect_uri` its token endpoint, too."""
    provider = settings.chosen_provider
    endpoints = endpoints_at(provider, login.oauth_providers, settings.provider)
    endpoint = _token_endpoint(login, provider, endpoints)
    probed = None
    if redirect_uri is not None and endpoint is not None:
        probed = await probe(fetcher, endpoint, redirect_uri)
    return Evidence(
        login=login,
        settings=settings,
        endpoints=endpoints,
        authorization=await ask(fetcher, get(endpoints.authorization_url)),
        tokens=await ask(fetcher, get(endpoints.tokens_url)),
        api=await ask(fetcher, get(endpoints.api_url)),
        probe=probed,
    )


def _token_endpoint(
    login: Login, provider: Provider, endpoints: OauthEndpoints
) -> TokenEndpoint | None:
    if not login.client_id or not login.client_secret or login.unresolved:
        return None
    client = Client(id=login.client_id, secret=login.client_secret, method=provider.authentication)
    return TokenEndpoint(url=endpoints.tokens_url, client=client, is_host_trusted=True)


# --- the examination ---------------------------------------------------------------------------


def check_authorization(on: Evidence) -> Finding:
    """Look at whether the address that browsers are sent to is there; any answer will do."""
    return _check_there("login page", on.authorization)


def check_tokens(on: Evidence) -> Finding:
    """Look at whether codes can be exchanged from here."""
    return _check_there("tokens", on.tokens)


def check_api(on: Evidence) -> Finding:
    """Look at whether users can be asked about from here."""
    return _check_there("API", on.api)


def _check_there(check: str, answer: Answer) -> Finding:
    return check_reached(check, answer) or fine(check, answer.url)


def check_pkce(on: Evidence) -> Finding:
    """Say whether stolen codes are worthless."""
    if on.provider.pkce:
        return fine("PKCE", "S256")
    return doubtful("PKCE", f"{on.provider.title} refuses it", "nothing can be done about it here")


def check_scopes(on: Evidence) -> Finding:
    """Show what users are asked to allow."""
    return fine("scopes", ", ".join(on.settings.all_scopes))


Check: TypeAlias = Callable[[Evidence], Finding]
CHECKS: Final[tuple[Check, ...]] = (
    check_authorization,
    check_tokens,
    check_api,
    check_pkce,
    check_scopes,
)
