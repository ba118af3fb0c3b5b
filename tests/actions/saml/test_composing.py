from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from actions.saml.algorithms import STRICT
from actions.saml.composing import child, message, octets, signed_octets
from actions.saml.markup import parse
from actions.saml.names import SAML, SAMLP, tag
from actions.saml.refusal import MessageRefused
from actions.saml.signature import SIGNATURE, verify
from tests.exchanges import NOON_NS
from tests.saml import SP, party, service

HOSTILE = "<&\"'>\u00e9"


def made(**options: Any) -> Any:
    return message(
        "LogoutRequest", "_1", NOON_NS, destination="https://x.test/", service=service(**options)
    )


def test_a_message_begins_with_who_and_when() -> None:
    root = parse(octets(made()))
    assert root.tag == tag(SAMLP, "LogoutRequest")
    attributes: Any = root.attrib
    assert dict(attributes) == {
        "ID": "_1",
        "Version": "2.0",
        "IssueInstant": "2026-03-01T12:00:00Z",
        "Destination": "https://x.test/",
    }
    assert root.findtext(tag(SAML, "Issuer")) == SP


def test_values_are_encoded_for_where_they_stand() -> None:
    root = made(entity_id=HOSTILE)
    child(root, SAML, "NameID", HOSTILE, Format=HOSTILE)
    again = etree.fromstring(octets(root))
    assert [again[0].text, again[1].text, again[1].get("Format")] == [HOSTILE] * 3


@pytest.mark.parametrize("kind", ["rsa-2048", "P-256", "P-521"])
def test_a_signature_stands_behind_the_issuer(kind: str) -> None:
    signer = party("sp", kind)
    root = parse(signed_octets(made(), service(private_key=signer.pem)))
    assert root[1].tag == SIGNATURE
    assert verify(root, (signer.certificate,), STRICT).findtext(tag(SAML, "Issuer")) == SP


def test_signing_needs_a_key() -> None:
    with pytest.raises(MessageRefused):
        signed_octets(made(), service(private_key=None))
