"""What an issuer's metadata says about its key set (OpenID Connect Discovery, section 3).

Asked for only where several issuers share key sets and the policy does not tell whose is whose.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from actions.jose.strict_json import JsonError, parse_object
from policy.effect import BadDocument, GetDocument

MAX_METADATA_VALUES = 2_000
NO_METADATA = "no-metadata"
WELL_KNOWN = "/.well-known/openid-configuration"


class Metadata(NamedTuple):
    """The part of a provider's metadata that is of use here."""

    issuer: str
    jwks_uri: str


def parse_metadata(data: bytes) -> Metadata:
    """Read a provider's metadata; raises BadDocument."""
    try:
        members = parse_object(data, max_values=MAX_METADATA_VALUES)
    except JsonError:
        raise BadDocument(NO_METADATA) from None
    issuer, jwks_uri = members.get("issuer"), members.get("jwks_uri")
    if not isinstance(issuer, str) or not isinstance(jwks_uri, str):
        raise BadDocument(NO_METADATA)
    return Metadata(issuer, jwks_uri)


def metadata_request(issuer: str) -> GetDocument | None:
    """Ask for an issuer's metadata; None where its name is no place to ask at."""
    try:
        parts = urlsplit(issuer)
        host = parts.hostname or ""
        is_safe = parts.scheme == "https" or (
            parts.scheme == "http" and ip_address(host).is_loopback
        )
    except ValueError:
        return None
    if not is_safe or not host or parts.query or parts.fragment or "@" in parts.netloc:
        return None
    return GetDocument(url=issuer.removesuffix("/") + WELL_KNOWN, parse=parse_metadata)
