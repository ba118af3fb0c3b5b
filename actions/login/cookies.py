"""The cookies of a login: one for the session, one that a browser is recognised by meanwhile.

Both are opaque secrets of 256 bits.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from typing import Final

from actions.login.cookie_names import BOUND_TO_HOST, NONCE, PREFIXES, SESSION, unbound_name
from actions.login.public_origin import can_be_in
from actions.login.settings import LoginSettings
from policy.exchange import Endpoint, Exchange

SECRET_BYTES: Final = 32
SECRET_CHARACTERS: Final = 43
# Several with one name come from other hosts of a domain (OA-10); more than these is an attack.
MAX_CANDIDATES: Final = 4

_SECRET = re.compile(rf"[A-Za-z0-9_-]{{{SECRET_CHARACTERS}}}")


def new_secret(exchange: Exchange) -> str:
    """Make a secret that nobody can foresee."""
    return urlsafe_b64encode(exchange.surroundings.random_bytes(SECRET_BYTES)).rstrip(b"=").decode()


def own_cookies(config: LoginSettings) -> frozenset[str]:
    """Return every name that a login's cookies can have: no upstream reads or sets them."""
    return frozenset(
        f"{prefix}{unbound_name(config.login_name, purpose)}"
        for prefix in PREFIXES
        for purpose in (SESSION, NONCE)
    )


def shared_cookies(config: LoginSettings, endpoint: Endpoint) -> frozenset[str]:
    """Return the names of cookies that a browser shows to this endpoint, whoever's they are."""
    domain = config.auth_cookie_domain
    if domain is None or not can_be_in(endpoint.host, domain):
        return frozenset()
    return frozenset(cookie_name(config, SESSION, is_https=is_https) for is_https in (True, False))


def cookie_name(config: LoginSettings, purpose: str, *, is_https: bool) -> str:
    """Return the name of a cookie. The browser's own cookie is never shared among hosts."""
    if purpose == SESSION:
        return config.session_cookies[is_https]
    return f"{BOUND_TO_HOST if is_https else ''}{unbound_name(config.login_name, purpose)}"


def shown_secrets(
    exchange: Exchange, config: LoginSettings, purpose: str, *, is_https: bool
) -> tuple[str, ...]:
    """Return the well-formed values that a browser shows under a cookie's name."""
    if not exchange.own_cookies:
        return ()
    values = exchange.own_cookies.get(cookie_name(config, purpose, is_https=is_https))
    if values is None:
        return ()
    if len(values) == 1:
        return values if _SECRET.fullmatch(values[0]) else ()
    distinct = tuple(dict.fromkeys(each for each in values if _SECRET.fullmatch(each)))
    return distinct if len(distinct) <= MAX_CANDIDATES else ()


def set_cookie(
    config: LoginSettings,
    purpose: str,
    value: str,
    *,
    is_https: bool,
    max_age_s: int,
    crosses_sites: bool = False,
) -> tuple[str, str]:
    """Return the field line that gives a browser a cookie; no age at all takes it away.

    One that `crosses_sites` comes along when another site posts to us. Browsers keep it only if
    it is `Secure`, which on plain http they accept from loopback addresses alone.
    """
    parts = [f"{cookie_name(config, purpose, is_https=is_https)}={value}", "Path=/"]
    if purpose == SESSION and config.auth_cookie_domain is not None:
        parts.append(f"Domain={config.auth_cookie_domain}")
    parts += [f"Max-Age={max_age_s}", "HttpOnly"]
    if is_https or crosses_sites:
        parts.append("Secure")
    parts.append(f"SameSite={'None' if crosses_sites else 'Lax'}")
    return "set-cookie", "; ".join(parts)


def drop_cookie(config: LoginSettings, purpose: str, *, is_https: bool) -> tuple[str, str]:
    """Return the field line that takes a cookie away."""
    return set_cookie(config, purpose, "", is_https=is_https, max_age_s=0)
