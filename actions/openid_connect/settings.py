"""What a login with an OpenID provider is configured with (language spec, section 5.14)."""

from __future__ import annotations

from functools import cached_property
from ipaddress import ip_address
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import Field

from actions.login.settings import LoginSettings
from actions.oauth2.settings import AuthorizationParameters, ClientId, ClientSecret, Scopes
from policy.action import Doc
from policy.config_types import Interpolated, MinLen, Parsed, Reference, refusal

MAX_URL: Final = 2048
WELL_KNOWN: Final = "/.well-known/openid-configuration"
OPENID: Final = "openid"
USUAL_SCOPES: Final = (OPENID, "profile", "email")


def is_loopback(url: str) -> bool:
    """Tell whether a URL leads to this machine by a literal address."""
    try:
        return ip_address(urlsplit(url).hostname or "").is_loopback
    except ValueError:
        return False


def is_plain_url(url: str) -> bool:
    """Tell whether a text is one unambiguous URL with a host, without user and fragment."""
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    is_visible = url.isascii() and url.isprintable() and not set(url) & set(' "<>\\^`{|}')
    return has_host and is_visible and "@" not in parts.netloc and "#" not in url


def read_issuer_url(text: str) -> str:
    """Read an issuer's URL; raises the refusal of what nobody can be sure of (OA-5)."""
    is_safe = text.startswith("https://") or (text.startswith("http://") and is_loopback(text))
    if text.endswith(WELL_KNOWN):
        hint = f"leave {WELL_KNOWN} out: the issuer is what stands before it"
    elif "?" in text or len(text) > MAX_URL or not is_plain_url(text):
        hint = "write the issuer as the provider writes it in its metadata"
    elif not is_safe:
        hint = "write https://...; http:// only with a loopback address (127.0.0.1, [::1])"
    else:
        return text
    raise refusal(
        "issuer-url-invalid", "that names no issuer", reference="ERR_NGROK_2226", hint=hint
    )


class OpenIdSettings(LoginSettings):
    """Everything that is configured; all of it but the client is known at load."""

    issuer_url: Annotated[
        str,
        Parsed(read_issuer_url, "URL of an issuer"),
        Doc("The provider, exactly as its metadata name it."),
    ]
    client_id: Annotated[
        ClientId,
        Interpolated(),
        Reference("ERR_NGROK_385"),
        Doc("The name that the provider knows this service by."),
    ]
    client_secret: Annotated[
        ClientSecret,
        Interpolated(),
        Reference("ERR_NGROK_386"),
        Doc("The secret that goes with it, best from a vault."),
    ] = Field(repr=False)
    scopes: Annotated[
        Scopes | None,
        Doc("What to ask for; `openid` is added. Absent: `openid`, `profile`, `email`."),
    ] = None
    authz_url_params: Annotated[
        AuthorizationParameters,
        Doc("More parameters for the login at the provider, such as `prompt` or `max_age`."),
    ] = Field(default_factory=dict)
    trusted_audiences: Annotated[
        list[Annotated[str, MinLen(1)]],
        Doc("Extension. Who else an ID token may be for; others are refused."),
    ] = Field(default_factory=list)
    accept_unverified_email: Annotated[
        bool,
        Doc("Extension. True: take an address that the provider says nothing about."),
    ] = False

    @cached_property
    def agreed(self) -> str:
        """What a user and the provider have agreed to by a login."""
        return repr(
            (
                self.issuer_url,
                self.client_id,
                self.scopes,
                self.authz_url_params,
                self.trusted_audiences,
                self.accept_unverified_email,
            )
        )

    @cached_property
    def provider_name(self) -> str:
        """What people may call the provider."""
        return urlsplit(self.issuer_url).hostname or ""

    @property
    def asked_scopes(self) -> tuple[str, ...]:
        """What is asked for."""
        asked = USUAL_SCOPES if self.scopes is None else tuple(self.scopes)
        return asked if OPENID in asked else (OPENID, *asked)

    @property
    def max_age_s(self) -> int | None:
        """How long ago the user may have shown credentials, if the policy asks for that."""
        text = self.authz_url_params.get("max_age", "")
        return int(text) if is_max_age(text) else None

    @property
    def acr_values(self) -> frozenset[str]:
        """The ways to log in of which the policy asks for one; empty for any."""
        return frozenset(self.authz_url_params.get("acr_values", "").split())


def is_max_age(text: str) -> bool:
    """Tell whether a `max_age` is a number of seconds."""
    return text.isascii() and text.isdigit() and len(text) <= 9
