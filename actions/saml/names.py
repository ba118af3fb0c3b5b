"""Names that the SAML, XML Signature and XML Encryption specifications have given to things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
MD: Final = "urn:oasis:names:tc:SAML:2.0:metadata"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
DSIG11: Final = "http://www.w3.org/2009/xmldsig11#"
XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
XENC11: Final = "http://www.w3.org/2009/xmlenc11#"
XML: Final = "http://www.w3.org/XML/1998/namespace"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
XINCLUDE: Final = "http://www.w3.org/2001/XInclude"

EXCLUSIVE_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"

REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
RESPONDER: Final = "urn:oasis:names:tc:SAML:2.0:status:Responder"
ENTITY: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"

UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
UNSPECIFIED_2: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:unspecified"
PERSISTENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
TRANSIENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
EMAIL: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
# The second name of "unspecified" does not exist in any specification, but on the wire.
NAMEID_FORMATS: Final[Mapping[str, str]] = {
    "persistent": PERSISTENT,
    "transient": TRANSIENT,
    "email": EMAIL,
    "unspecified": UNSPECIFIED,
}


def tag(namespace: str, name: str) -> str:
    """Return an element's name as lxml writes it."""
    return f"{{{namespace}}}{name}"
