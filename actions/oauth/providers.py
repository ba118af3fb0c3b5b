"""The providers: where they are, what is asked of them, and what is particular about each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Final

from actions.login.protocol import Asking
from actions.login.session import Person
from actions.oauth.amazon import amazon_user
from actions.oauth.facebook import facebook_user
from actions.oauth.github import github_user
from actions.oauth.microsoft import microsoft_user
from actions.oauth.profile import Grant
from actions.oauth.token_check import (
    TokenCheck,
    check_amazon,
    check_application,
    check_authorization,
    check_debug,
    check_google,
    check_introspection,
    check_validation,
    no_check,
)
from actions.oauth.twitch import twitch_user
from actions.oauth.userinfo import (
    LEGACY_SCOPES,
    gitlab_user,
    google_user,
    linkedin_user,
)
from actions.oauth2.client_authentication import BASIC, POST, Method
from policy.oauth_endpoints import OauthEndpoints


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One provider.

    `scopes` are those that a login needs; with one of `other_scopes` in a policy they are left
    out, since an application has either. `always` are parameters of every login, `forced` those
    that make the provider ask for credentials again, `lasting` those that make it give a refresh
    token; `lasting_scopes` does the same by scope. `pkce` False is for a provider that refuses
    what it does not know. `user` asks who a token is for, `check` whether the token is ours.
    """

    title: str
    endpoints: OauthEndpoints
    scopes: tuple[str, ...]
    user: Callable[[Grant], Asking[Person]]
    check: TokenCheck
    authentication: Method = POST
    other_scopes: frozenset[str] = frozenset()
    always: Mapping[str, str] = field(default_factory=dict)
    forced: Mapping[str, str] = field(default_factory=dict)
    lasting: Mapping[str, str] = field(default_factory=dict)
    lasting_scopes: tuple[str, ...] = ()
    pkce: bool = True
    self_hosted: OauthEndpoints | None = None


# `{base}` is where the operator's own instance is.
GITHUB_ENTERPRISE: Final = OauthEndpoints(
    authorization_url="{base}/login/oauth/authorize",
    tokens_url="{base}/login/oauth/access_token",
    api_url="{base}/api/v3",
)
OWN_GITLAB: Final = OauthEndpoints(
    authorization_url="{base}/oauth/authorize",
    tokens_url="{base}/oauth/token",
    api_url="{base}",
)

PROVIDERS: Final[Mapping[str, Provider]] = {
    "amazon": Provider(
        title="Amazon",
        endpoints=OauthEndpoints(
            authorization_url="https://www.amazon.com/ap/oa",
            tokens_url="https://api.amazon.com/auth/o2/token",
            api_url="https://api.amazon.com",
        ),
        scopes=("profile",),
        user=amazon_user,
        check=check_amazon,
    ),
    "facebook": Provider(
        title="Facebook",
        endpoints=OauthEndpoints(
            authorization_url="https://www.facebook.com/v23.0/dialog/oauth",
            tokens_url="https://graph.facebook.com/v23.0/oauth/access_token",
            api_url="https://graph.facebook.com/v23.0",
        ),
        scopes=("email",),
        user=facebook_user,
        check=check_debug,
        # Whoever has declined a permission is asked for it again.
        always={"auth_type": "rerequest"},
        forced={"auth_type": "reauthenticate"},
    ),
    "github": Provider(
        title="GitHub",
        endpoints=OauthEndpoints(
            authorization_url="https://github.com/login/oauth/authorize",
            tokens_url="https://github.com/login/oauth/access_token",
            api_url="https://api.github.com",
        ),
        # The third is what tells which addresses are verified.
        scopes=("read:user", "read:org", "user:email"),
        user=github_user,
        check=check_authorization,
        forced={"prompt": "select_account"},
        self_hosted=GITHUB_ENTERPRISE,
    ),
    "gitlab": Provider(
        title="GitLab",
        endpoints=OauthEndpoints(
            authorization_url="https://gitlab.com/oauth/authorize",
            tokens_url="https://gitlab.com/oauth/token",
            api_url="https://gitlab.com",
        ),
        scopes=("openid", "profile", "email"),
        user=gitlab_user,
        check=check_application,
        authentication=BASIC,
        forced={"prompt": "login"},
        self_hosted=OWN_GITLAB,
    ),
    "google": Provider(
        title="Google",
        endpoints=OauthEndpoints(
            authorization_url="https://accounts.google.com/o/oauth2/v2/auth",
            tokens_url="https://oauth2.googleapis.com/token",
            api_url="https://www.googleapis.com",
        ),
        scopes=(
            "https://www.googleapis.com/auth/userinfo.email",
            "https://www.googleapis.com/auth/userinfo.profile",
        ),
        user=google_user,
        check=check_google,
        forced={"prompt": "select_account"},
        # A refresh token comes with a consent only, and an access token lasts an hour.
        lasting={"access_type": "offline", "prompt": "consent"},
    ),
    "linkedin": Provider(
        title="LinkedIn",
        endpoints=OauthEndpoints(
            authorization_url="https://www.linkedin.com/oauth/v2/authorization",
            tokens_url="https://www.linkedin.com/oauth/v2/accessToken",
            api_url="https://api.linkedin.com",
        ),
        # Applications since August 2023 have these; a policy with the old ones keeps to them.
        scopes=("openid", "profile", "email"),
        other_scopes=LEGACY_SCOPES,
        user=linkedin_user,
        check=check_introspection,
        # It takes a verifier from an application with a secret for bad credentials.
        pkce=False,
    ),
    "microsoft": Provider(
        title="Microsoft",
        endpoints=OauthEndpoints(
            authorization_url="https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
            tokens_url="https://login.microsoftonline.com/common/oauth2/v2.0/token",
            api_url="https://graph.microsoft.com/v1.0",
        ),
        scopes=("User.Read",),
        user=microsoft_user,
        check=no_check,
        forced={"prompt": "login"},
        lasting_scopes=("offline_access",),
    ),
    "twitch": Provider(
        title="Twitch",
        endpoints=OauthEndpoints(
            authorization_url="https://id.twitch.tv/oauth2/authorize",
            tokens_url="https://id.twitch.tv/oauth2/token",
            api_url="https://api.twitch.tv/helix",
        ),
        scopes=("user:read:email",),
        user=twitch_user,
        check=check_validation,
        forced={"force_verify": "true"},
    ),
}


def endpoints_at(
    provider: Provider, overrides: Mapping[str, OauthEndpoints], name: str
) -> OauthEndpoints:
    """Return where a provider is, the operator's own addresses first."""
    own = overrides.get(name)
    if own is None:
        return provider.endpoints
    given = {each.name: getattr(own, each.name) for each in fields(own)}
    return replace(provider.endpoints, **{key: url for key, url in given.items() if url})


def hosted_at(name: str, base_url: str) -> OauthEndpoints | None:
    """Return where an instance of one's own has everything; None for a provider without such."""
    shape = PROVIDERS[name].self_hosted
    if shape is None:
        return None
    base = base_url.rstrip("/")
    given = {each.name: getattr(shape, each.name) for each in fields(shape)}
    return OauthEndpoints(**{key: url.replace("{base}", base) for key, url in given.items()})
