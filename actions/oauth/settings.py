"""The configuration of `oauth` (language spec, section 5.13)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from actions.login.lint import lint_login
from actions.login.settings import LoginSettings
from actions.oauth.providers import PROVIDERS, Provider
from actions.oauth2.lint import lint_client_secret
from actions.oauth2.settings import AuthorizationParameters, ClientId, ClientSecret, Scopes
from policy.action import Doc, Lint
from policy.config_types import Interpolated, Reference
from policy.problem import Severity

ProviderName = Literal[
    "amazon", "facebook", "github", "gitlab", "google", "linkedin", "microsoft", "twitch"
]
LATER_RULE: Final = "write a rule after this one about actions.ngrok.oauth.identity.email"
# For either of the two alone, and for both.
CREDENTIALS: Final = {
    ("client_id",): "ERR_NGROK_383",
    ("client_secret",): "ERR_NGROK_384",
    ("client_id", "client_secret"): "ERR_NGROK_389",
}


class Config(LoginSettings):
    field_hints: ClassVar[Mapping[str, str]] = {
        "email_addresses": LATER_RULE,
        "email_domains": LATER_RULE,
        "oauth_scopes": "did you mean 'scopes'?",
        "issuer_url": "that is for 'openid-connect'",
    }

    provider: Annotated[ProviderName, Reference("ERR_NGROK_365"), Doc("Who logs users in.")]
    client_id: Annotated[
        ClientId | None, Interpolated(), Doc("What the provider calls your application; required.")
    ] = None
    client_secret: Annotated[
        ClientSecret | None, Interpolated(), Doc("The secret that goes with it; required.")
    ] = Field(default=None, repr=False)
    scopes: Annotated[
        Scopes, Doc("Asked for besides those that a login with this provider needs.")
    ] = Field(default_factory=list)
    authz_url_params: Annotated[
        AuthorizationParameters, Doc("Added to the address that the login begins at.")
    ] = Field(default_factory=dict)
    accept_unverified_email: Annotated[
        bool,
        Doc(
            "Extension. True: `identity.email` is also an address that the provider does not say "
            "to be verified. Only where it decides nothing: some let users write any address."
        ),
    ] = False

    @cached_property
    def agreed(self) -> str:
        """A mark of what the provider was asked for."""
        asked = [
            self.provider,
            self.client_id,
            self.all_scopes,
            sorted(self.authz_url_params.items()),
            self.accept_unverified_email,
        ]
        return sha256(json.dumps(asked).encode()).hexdigest()

    @property
    def chosen_provider(self) -> Provider:
        """The provider that is logged in with."""
        return PROVIDERS[self.provider]

    @property
    def all_scopes(self) -> tuple[str, ...]:
        """What is asked for: what a login needs, what keeps it fresh, and the policy's own."""
        provider = self.chosen_provider
        needed = () if provider.other_scopes.intersection(self.scopes) else provider.scopes
        lasting = provider.lasting_scopes if self.userinfo_refresh_interval is not None else ()
        return tuple(dict.fromkeys((*needed, *self.scopes, *lasting)))


def lint(config: Config) -> Iterator[Lint]:
    """Refuse a configuration without credentials, and warn of what is easily overlooked."""
    yield from lint_login(config)
    missing = tuple(
        name for name in ("client_id", "client_secret") if getattr(config, name) is None
    )
    if missing:
        yield Lint(
            code="missing-field",
            message=f"{' and '.join(repr(name) for name in missing)} must be given: "
            "there is no application of ours at the provider",
            path=("provider",),
            hint=f"register your own at {config.chosen_provider.title}; "
            "`penstock doctor` shows its redirect URI",
            severity=Severity.ERROR,
            reference=CREDENTIALS[missing],
        )
    if config.client_secret is not None:
        yield from lint_client_secret(config.client_secret)
    if config.accept_unverified_email:
        yield Lint(
            code="unverified-email-accepted",
            message="whoever can write any address into an account there gets in as its owner",
            path=("accept_unverified_email",),
            hint="decide by identity.provider_user_id, or remove this field",
        )
