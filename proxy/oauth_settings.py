"""Where OAuth providers are, if not where everybody knows them to be: `oauth_providers`.

For GitLab and GitHub Enterprise on servers of one's own, for one organisation's door to
Microsoft, and for tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, TypeAlias

from actions.oauth.providers import PROVIDERS, hosted_at
from actions.oauth.settings import ProviderName
from actions.openid_connect.settings import is_loopback, is_plain_url
from policy.action import ActionConfig, Doc
from policy.config_types import Parsed, refusal
from policy.oauth_endpoints import OauthEndpoints
from policy.problem import Place, Problem

Path: TypeAlias = tuple[str | int, ...]
Places: TypeAlias = Callable[[Path], Place]

SELF_HOSTED = tuple(name for name, provider in PROVIDERS.items() if provider.self_hosted)


def read_provider_url(text: str) -> str:
    """Read the address of a provider; raises the refusal of what could be tampered with."""
    is_safe = text.startswith("https://") or (text.startswith("http://") and is_loopback(text))
    if is_safe and is_plain_url(text) and "?" not in text:
        return text.rstrip("/")
    raise refusal(
        "provider-url-invalid",
        f"{text!r} is no address of a provider",
        reference="ERR_NGROK_2226",
        hint="write https://...; http:// only with a loopback address (127.0.0.1, [::1])",
    )


ProviderUrl = Annotated[str, Parsed(read_provider_url, "https URL without query")]


class OauthProviderSettings(ActionConfig):
    """Addresses of one provider; what is left out is as usual."""

    base_url: Annotated[
        ProviderUrl | None, Doc("Where a GitLab or GitHub Enterprise of one's own is.")
    ] = None
    authorize_url: Annotated[ProviderUrl | None, Doc("Where browsers are sent.")] = None
    token_url: Annotated[ProviderUrl | None, Doc("Where codes become tokens.")] = None
    api_url: Annotated[ProviderUrl | None, Doc("What the paths of its API are put behind.")] = None


OauthProviders = dict[ProviderName, OauthProviderSettings]


def endpoints_of(
    settings: Mapping[ProviderName, OauthProviderSettings],
) -> dict[str, OauthEndpoints]:
    """Return what logins are to use."""
    return {name: _endpoints(name, given) for name, given in settings.items()}


def _endpoints(name: str, given: OauthProviderSettings) -> OauthEndpoints:
    hosted = hosted_at(name, given.base_url) if given.base_url else None
    own = {
        "authorization_url": given.authorize_url,
        "tokens_url": given.token_url,
        "api_url": given.api_url,
    }
    return replace(
        hosted or OauthEndpoints(), **{key: url for key, url in own.items() if url is not None}
    )


def check_oauth_providers(
    settings: Mapping[ProviderName, OauthProviderSettings], place: Places
) -> Iterator[Problem]:
    """Find addresses that can't have any effect."""
    for name, given in settings.items():
        if given.base_url is not None and name not in SELF_HOSTED:
            yield Problem(
                code="provider-not-self-hosted",
                message=f"nobody runs a {PROVIDERS[name].title} of their own",
                place=place(("oauth_providers", name, "base_url")),
                hint=f"'base_url' is for {' and '.join(SELF_HOSTED)}; write 'authorize_url', "
                "'token_url' and 'api_url'",
            )
