"""What has to be registered at the provider: the URLs that it sends browsers back to."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from actions.login.paths import BACKCHANNEL_LOGOUT, CALLBACK, LOGOUT, with_auth_id
from actions.login.public_origin import is_loopback
from actions.saml.paths import ASSERTION_CONSUMER
from actions.saml.settings import Config as SamlSettings
from penstock.doctor.finding import Finding, doubtful, fine, unseen
from penstock.doctor.logins import Login

YOUR_HOST: Final = "https://YOUR-HOST"
WILDCARD: Final = "*."


def redirect_uri(login: Login) -> str:
    """Return where the provider sends browsers back to."""
    is_saml = isinstance(login.settings, SamlSettings)
    return own_url(login, ASSERTION_CONSUMER if is_saml else CALLBACK)


def check_redirect_uri(login: Login) -> Finding:
    """Show the redirect URI, which the provider compares character by character."""
    uri = redirect_uri(login)
    parts = urlsplit(uri)
    if not login.public_url:
        return unseen(
            "redirect URI",
            f"register {uri}, with your host",
            "say which: --url https://app.example.com, or --config penstock.yml",
        )
    if WILDCARD in parts.netloc:
        return doubtful(
            "redirect URI",
            f"register {uri} for every host that is used",
            "providers compare it character by character, and know no wildcards",
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        return doubtful(
            "redirect URI",
            f"register {uri}",
            "most providers refuse http here, and cookies travel in the open: use https",
        )
    return fine("redirect URI", f"register {uri}")


def check_logout_uris(login: Login, *, has_end_session: bool, has_backchannel: bool) -> Finding:
    """Show the URLs for logging out, as far as the provider can do that."""
    if not has_end_session and not has_backchannel:
        return fine("logout", "the provider has none that could be used: here only")
    uris = []
    if has_end_session:
        uris.append(f"post-logout redirect URI {own_url(login, LOGOUT)}")
    if has_backchannel:
        uris.append(f"back-channel logout URI {own_url(login, BACKCHANNEL_LOGOUT)}")
    return fine("logout", f"register {' and '.join(uris)}")


def own_url(login: Login, path: str) -> str:
    """Return one of our addresses, as the provider has to know it."""
    return (login.public_url or YOUR_HOST) + with_auth_id(path, login.settings.auth_id)
