"""The origin that browsers know an endpoint by: what redirect URIs and cookies are made for.

It comes from the configuration. A `Host` that a client sent counts only where it can't lead
anybody astray: on an endpoint without a URL if it is a loopback name, and on a wildcard endpoint,
whose hosts are all the operator's (T-RD-5).
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from policy.exchange import Exchange
from policy.url import DEFAULT_PORTS, authority_text

LOCALHOST = "localhost"
WILDCARD = "*."


class PublicOrigin(NamedTuple):
    """Scheme, host and port of an endpoint as browsers see it."""

    text: str
    host: str
    is_https: bool


def public_origin(exchange: Exchange) -> PublicOrigin | None:
    """Return the origin; None where nothing trustworthy names it."""
    endpoint, request = exchange.endpoint, exchange.request
    asked = None if request is None else request.public_url
    host, port = endpoint.host, endpoint.port
    if asked is not None and host.startswith(WILDCARD):
        host = asked.host
    elif asked is not None and asked.host != host and is_own_machine(host):
        # Penstock on one's own machine, under another of its names.
        if not is_loopback(asked.host):
            return None
        host, port = asked.host, asked.effective_port
    return _origin(endpoint.protocol, host, port)


# The same for all requests of an endpoint; a wildcard endpoint has as many as hosts.
@lru_cache(maxsize=1024)
def _origin(scheme: str, host: str, port: int) -> PublicOrigin:
    shown = None if DEFAULT_PORTS.get(scheme) == port else port
    return PublicOrigin(f"{scheme}://{authority_text(host, shown)}", host, scheme == "https")


def can_be_in(host: str, domain: str) -> bool:
    """Tell whether an endpoint's host is in a domain, or some hosts of a wildcard are."""
    if not host.startswith(WILDCARD):
        return f".{host}".endswith(f".{domain}")
    parent = host.removeprefix(WILDCARD)
    return f".{parent}".endswith(f".{domain}") or f".{domain}".endswith(f".{parent}")


def is_own_machine(host: str) -> bool:
    """Tell whether an endpoint has no other name than the address that it listens on."""
    try:
        return is_loopback(host) or ip_address(host).is_unspecified
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Tell whether a host is this very machine, by a literal address or its usual name."""
    if host == LOCALHOST:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
