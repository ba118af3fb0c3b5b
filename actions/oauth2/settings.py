"""Types of the fields that every login by OAuth 2.0 is configured with (language spec, 5.13)."""

from __future__ import annotations

import re
from typing import Annotated, Final

from actions.oauth2.authorization_request import RESERVED
from policy.config_types import AtMost, MaxLen, MinLen, Parsed, Secret, Unique, refusal

MAX_SCOPES: Final = 64
MAX_SCOPE: Final = 256
MAX_PARAMETERS: Final = 32
MAX_PARAMETER_NAME: Final = 128
MAX_PARAMETER_VALUE: Final = 2048

# RFC 6749, appendix A.
_VISIBLE = re.compile(r"[ -~]{1,1024}")
_SCOPE = re.compile(r"[!#-\[\]-~]+")
_PARAMETER_NAME = re.compile(r"[A-Za-z0-9._-]+")


def read_client_id(text: str) -> str:
    """Read the name that a provider knows us by."""
    if _VISIBLE.fullmatch(text):
        return text
    raise refusal(
        "client-id-invalid",
        "that is no client id",
        reference="ERR_NGROK_2204",
        hint="a client id is printable ASCII, as the provider shows it",
    )


def read_client_secret(text: str) -> str:
    """Read a secret; what is refused is never shown."""
    if _VISIBLE.fullmatch(text):
        return text
    raise refusal(
        "client-secret-invalid",
        "that is no client secret",
        reference="ERR_NGROK_2204",
        hint="a client secret is printable ASCII, not empty; use ${secrets.get('vault', 'name')}",
    )


def read_scope(text: str) -> str:
    """Read one scope."""
    if len(text) > MAX_SCOPE:
        raise refusal(
            "scope-too-long",
            f"a scope has at most {MAX_SCOPE} characters",
            reference="ERR_NGROK_391",
        )
    if _SCOPE.fullmatch(text):
        return text
    raise refusal(
        "scope-invalid",
        f"{text!r} is no scope",
        reference="ERR_NGROK_2204",
        hint="write each scope as an entry of its own: [openid, email]",
    )


def read_parameter_name(text: str) -> str:
    """Read the name of a parameter that a policy adds; raises the refusal of our own."""
    if text in RESERVED:
        raise refusal(
            "parameter-reserved",
            f"{text!r} is what a login is made safe with, and can't be set",
            reference="ERR_NGROK_2219",
            hint="leave it out; scopes have a field of their own",
        )
    if len(text) <= MAX_PARAMETER_NAME and _PARAMETER_NAME.fullmatch(text):
        return text
    raise refusal(
        "parameter-invalid", f"{text!r} can't name a parameter", reference="ERR_NGROK_2204"
    )


ClientId = Annotated[str, Parsed(read_client_id, "client id")]
ClientSecret = Annotated[str, Parsed(read_client_secret, "client secret"), Secret()]
Scopes = Annotated[
    list[Annotated[str, Parsed(read_scope, "scope")]],
    AtMost(MAX_SCOPES, "ERR_NGROK_368", "too-many-scopes"),
    Unique(),
]
AuthorizationParameters = Annotated[
    dict[
        Annotated[str, Parsed(read_parameter_name, "parameter name")],
        Annotated[str, MinLen(1), MaxLen(MAX_PARAMETER_VALUE)],
    ],
    AtMost(MAX_PARAMETERS),
]
