"""Our own metadata, for the provider to import (D3-27; SAML metadata, section 2.4.4)."""

from __future__ import annotations

from base64 import b64encode
from typing import Final

from lxml import etree

from actions.saml.composing import child, octets, root_element
from actions.saml.names import DS, MD, POST, REDIRECT, SAMLP, XENC, XENC11
from actions.saml.parties import ServiceProvider

# What `encryption` opens, best first.
ENCRYPTION: Final = (
    XENC11 + "aes256-gcm",
    XENC11 + "aes128-gcm",
    XENC + "rsa-oaep-mgf1p",
)


def render_service_metadata(service: ServiceProvider) -> bytes:
    """Write who we are, where we take messages, and how we want them signed."""
    root = root_element(MD, "EntityDescriptor", {"entityID": service.entity_id})
    role = child(
        root,
        MD,
        "SPSSODescriptor",
        AuthnRequestsSigned=_boolean(service.signs_requests),
        WantAssertionsSigned=_boolean(service.wants_assertions_signed),
        protocolSupportEnumeration=SAMLP,
    )
    if service.certificate is not None:
        _add_key(role, "signing", service.certificate)
        descriptor = _add_key(role, "encryption", service.certificate)
        for algorithm in ENCRYPTION:
            child(descriptor, MD, "EncryptionMethod", Algorithm=algorithm)
    # Without a key nothing could be answered there.
    for binding in (REDIRECT, POST) if service.private_key is not None else ():
        child(role, MD, "SingleLogoutService", Binding=binding, Location=service.logout_url)
    if service.name_id_format:
        child(role, MD, "NameIDFormat", service.name_id_format)
    child(
        role,
        MD,
        "AssertionConsumerService",
        Binding=POST,
        Location=service.assertion_url,
        index="0",
        isDefault="true",
    )
    return octets(root)


def _boolean(value: bool) -> str:  # noqa: FBT001 - the value itself is what is written
    return "true" if value else "false"


def _add_key(role: etree._Element, use: str, certificate: bytes) -> etree._Element:
    descriptor = child(role, MD, "KeyDescriptor", use=use)
    data = child(child(descriptor, DS, "KeyInfo"), DS, "X509Data")
    child(data, DS, "X509Certificate", b64encode(certificate).decode("ascii"))
    return descriptor
