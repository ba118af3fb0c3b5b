"""What our own messages are made of: elements, the parts that all have, and signatures."""

from __future__ import annotations

from typing import Any, Final

import xmlsec
from lxml import etree

from actions.saml.instant import render_instant
from actions.saml.keys import load_private_key, own_method
from actions.saml.names import DS, MD, SAML, SAMLP, tag
from actions.saml.parties import ServiceProvider
from actions.saml.refusal import MessageRefused

PREFIXES: Final = {"samlp": SAMLP, "saml": SAML, "md": MD, "ds": DS}
# Any: xmlsec's stubs do not know the constants under their names.
_XMLSEC: Final[Any] = xmlsec


def root_element(namespace: str, name: str, attributes: dict[str, str]) -> etree._Element:
    """Make the root of a document; it declares the prefixes that are used below it."""
    used = (SAMLP, SAML) if namespace == SAMLP else (MD, DS)
    nsmap = {prefix: uri for prefix, uri in PREFIXES.items() if uri in used}
    return etree.Element(tag(namespace, name), attrib=attributes, nsmap=nsmap)


def child(
    parent: etree._Element, namespace: str, name: str, text: str | None = None, **attributes: str
) -> etree._Element:
    """Add an element to another."""
    element = etree.SubElement(parent, tag(namespace, name), attrib=attributes)
    element.text = text
    return element


def message(
    name: str,
    identifier: str,
    now_ns: int,
    *,
    destination: str,
    service: ServiceProvider,
    more: dict[str, str] | None = None,
) -> etree._Element:
    """Begin a protocol message of ours: what it is, when, where to and who from."""
    attributes = {
        "ID": identifier,
        "Version": "2.0",
        "IssueInstant": render_instant(now_ns),
        "Destination": destination,
        **(more or {}),
    }
    element = root_element(SAMLP, name, attributes)
    child(element, SAML, "Issuer", service.entity_id)
    return element


def octets(root: etree._Element) -> bytes:
    """Return a document as it is sent."""
    return etree.tostring(root, encoding="utf-8")


def signed_octets(root: etree._Element, service: ServiceProvider) -> bytes:
    """Return a message with our signature in it, behind its issuer."""
    if service.private_key is None:
        raise MessageRefused(reason="signing-key-missing", detail="there is no sp_private_key")
    transform = _XMLSEC.Transform
    kinds = {"rsa": transform.RSA_SHA256, "ec": transform.ECDSA_SHA256}
    kind = own_method(load_private_key(service.private_key)).key
    signature = xmlsec.template.create(root, transform.EXCL_C14N, kinds[kind], ns="ds")
    root.insert(1, signature)
    reference = xmlsec.template.add_reference(signature, transform.SHA256, uri=f"#{root.get('ID')}")
    xmlsec.template.add_transform(reference, transform.ENVELOPED)
    xmlsec.template.add_transform(reference, transform.EXCL_C14N)
    xmlsec.tree.add_ids(root, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(service.private_key, _XMLSEC.KeyFormat.PEM, None)
    context.sign(signature)
    return octets(root)
