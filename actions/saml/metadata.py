"""An identity provider's metadata: where it is, and which certificates it signs with.

Metadata is trusted for where it came from (a file, or https to the provider): signatures in it are
not looked at (D3-27). One document may describe several providers, which are told apart by their
entity ids. A provider that can't be used leaves the others usable.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

from actions.saml.algorithms import STRICT
from actions.saml.instant import parse_duration_s, parse_instant_ns
from actions.saml.keys import usable_key, without_issuers
from actions.saml.markup import METADATA, parse, text_of
from actions.saml.names import DS, MD, POST, REDIRECT, SAMLP, tag
from actions.saml.parties import IdentityProvider, LogoutEndpoint
from actions.saml.refusal import MessageRefused
from policy.effect import BadDocument

MAX_ENTITY_ID: Final = 1024
MAX_URL: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a document says. `cache_s` is how long it asks to be kept at most, None for nothing.

    `unusable` names providers that were left out, each with the reason.
    """

    providers: tuple[IdentityProvider, ...]
    unusable: tuple[tuple[str, str], ...] = ()
    cache_s: int | None = None

    def provider(self, entity_id: str | None) -> IdentityProvider | None:
        """Return a provider by its entity id, or without one the only provider there is."""
        if entity_id is None:
            return self.providers[0] if len(self.providers) == 1 else None
        return next((each for each in self.providers if each.entity_id == entity_id), None)


def parse_metadata(data: bytes) -> Metadata:
    """Read metadata; raises BadDocument when it describes no provider that can be used."""
    try:
        root = parse(data, METADATA)
        providers, unusable = _read_entities(root)
        durations = [
            parse_duration_s(element.get("cacheDuration", ""))
            for element in root.iter(*_ENTITIES, _ROLE)
            if element.get("cacheDuration") is not None
        ]
    except MessageRefused as refused:
        raise BadDocument(f"metadata-{refused.reason}") from None
    if not providers:
        raise BadDocument(unusable[0][1] if len(unusable) == 1 else "no-identity-provider")
    names = [provider.entity_id for provider in providers]
    if len(set(names)) != len(names):
        raise BadDocument("metadata-entity-repeated")
    return Metadata(
        providers=tuple(providers),
        unusable=tuple(unusable),
        cache_s=min(durations, default=None),
    )


def _read_entities(
    root: etree._Element,
) -> tuple[list[IdentityProvider], list[tuple[str, str]]]:
    if root.tag not in _ENTITIES:
        raise BadDocument("not-metadata")
    providers: list[IdentityProvider] = []
    unusable: list[tuple[str, str]] = []
    for entity in root.iter(tag(MD, "EntityDescriptor")):
        entity_id = entity.get("entityID", "")
        roles = [role for role in entity if role.tag == _ROLE and _speaks_saml2(role)]
        if not roles:
            continue
        try:
            if len(roles) > 1 or not 0 < len(entity_id) <= MAX_ENTITY_ID:
                raise BadDocument("metadata-ambiguous")
            providers.append(_read_provider(entity_id, roles[0]))
        except BadDocument as error:
            unusable.append((entity_id[:MAX_ENTITY_ID], error.reason))
    return providers, unusable


def _speaks_saml2(role: etree._Element) -> bool:
    return SAMLP in role.get("protocolSupportEnumeration", "").split()


def _read_provider(entity_id: str, role: etree._Element) -> IdentityProvider:
    certificates = tuple(dict.fromkeys(_signing_certificates(role)))
    if not certificates:
        raise BadDocument("no-signing-certificate")
    sign_in_url = next(_locations(role, "SingleSignOnService", REDIRECT), None)
    if sign_in_url is None:
        raise BadDocument("no-redirect-endpoint")
    return IdentityProvider(
        entity_id=entity_id,
        sign_in_url=sign_in_url[0],
        signing_certificates=certificates,
        logout_endpoints=tuple(_logout_endpoints(role)),
        name_id_formats=tuple(text_of(each).strip() for each in role.iterfind(_NAME_ID_FORMAT)),
        wants_requests_signed=role.get("WantAuthnRequestsSigned") in ("true", "1"),
        valid_until_ns=min(_ends((role, *role.iterancestors())), default=None),
    )


def _ends(elements: Iterable[etree._Element]) -> Iterator[int]:
    for element in elements:
        if (text := element.get("validUntil")) is not None:
            yield parse_instant_ns(text)


def _signing_certificates(role: etree._Element) -> Iterator[bytes]:
    """Read all certificates that may sign: while keys change there are two (SA-20)."""
    for descriptor in role.iterfind(tag(MD, "KeyDescriptor")):
        if descriptor.get("use", "signing") != "signing":
            continue
        listed = [_certificate(each) for each in descriptor.iterfind(_CERTIFICATE)]
        usable = [each for each in listed if usable_key(each, STRICT) is not None]
        yield from without_issuers(usable)


def _certificate(element: etree._Element) -> bytes:
    try:
        return b64decode("".join(text_of(element).split()), validate=True)
    except (Base64Error, ValueError):
        raise BadDocument("certificate-malformed") from None


def _locations(role: etree._Element, name: str, binding: str) -> Iterator[tuple[str, str]]:
    for element in role.iterfind(tag(MD, name)):
        if element.get("Binding") == binding:
            url = element.get("Location", "")
            response_url = element.get("ResponseLocation", url)
            if not (is_safe_url(url) and is_safe_url(response_url)):
                raise BadDocument("endpoint-not-https")
            yield url, response_url


def _logout_endpoints(role: etree._Element) -> Iterator[LogoutEndpoint]:
    for binding in (REDIRECT, POST):
        for url, response_url in _locations(role, "SingleLogoutService", binding):
            yield LogoutEndpoint(binding=binding, url=url, response_url=response_url)
            break


def is_safe_url(url: str) -> bool:
    """Tell whether a browser may be sent there: https, or http to a literal loopback address."""
    try:
        parts = urlsplit(url)
        is_safe = parts.scheme == "https" or (
            parts.scheme == "http" and ip_address(parts.hostname or "").is_loopback
        )
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    is_plain = url.isascii() and url.isprintable() and len(url) <= MAX_URL
    return (
        is_safe
        and has_host
        and is_plain
        and not set(url) & set(' "<>\\#')
        and "@" not in parts.netloc
    )


_ROLE: Final = tag(MD, "IDPSSODescriptor")
_ENTITIES: Final = (tag(MD, "EntityDescriptor"), tag(MD, "EntitiesDescriptor"))
_NAME_ID_FORMAT: Final = tag(MD, "NameIDFormat")
_CERTIFICATE: Final = "/".join(tag(DS, name) for name in ("KeyInfo", "X509Data", "X509Certificate"))
