"""The address that begins a login at the provider (RFC 6749, section 4.1.1).

A policy may add parameters of its own, but never those that a login is made safe with: they are
refused at load, and ours would win in any case (D2-1 to D2-6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from actions.login.protocol import Challenge
from actions.oauth2.pkce import METHOD, challenge_of

# `request` and `request_uri` bring a whole other set of parameters (RFC 9101), `response_mode` a
# place to answer to that we don't read, `dpop_jkt` a key that we don't have.
RESERVED: Final = frozenset(
    {
        "client_id", "client_secret", "code", "code_challenge", "code_challenge_method",
        "code_verifier", "dpop_jkt", "grant_type", "iss", "nonce", "redirect_uri", "registration",
        "request", "request_uri", "response_mode", "response_type", "scope", "state",
    }
)  # fmt: skip
LOGIN: Final = "login"
UNFORCED_PROMPTS: Final = frozenset({"none", LOGIN})


def authorization_parameters(
    challenge: Challenge, *, client_id: str, scopes: Iterable[str], extra: Mapping[str, str]
) -> dict[str, str]:
    """Return the parameters of a login; `extra` are the policy's."""
    ours = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": challenge.redirect_uri,
        "scope": " ".join(scopes),
        "state": challenge.state,
        "code_challenge": challenge_of(challenge.verifier),
        "code_challenge_method": METHOD,
    }
    theirs = {name: value for name, value in extra.items() if name not in RESERVED}
    return {**theirs, **ours}


def forced_prompt(extra: Mapping[str, str]) -> dict[str, str]:
    """Return a policy's parameters such that the provider asks for credentials again.

    What else the policy wants the user to be asked remains (OpenID Connect Core, 3.1.2.1).
    """
    others = [each for each in extra.get("prompt", "").split() if each not in UNFORCED_PROMPTS]
    return {**extra, "prompt": " ".join([LOGIN, *others])}


def with_parameters(url: str, parameters: Mapping[str, str]) -> str:
    """Return an address of the provider's with parameters beside those that it has already."""
    from authlib.common.urls import add_params_to_uri

    return str(add_params_to_uri(url, list(parameters.items())))
