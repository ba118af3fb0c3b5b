from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import onelogin.saml2
import pytest
from lxml import etree

from actions.saml.names import NAMEID_FORMATS, POST, REDIRECT
from actions.saml.service_metadata import render_service_metadata
from tests.saml import ACS, NS, SLO, SP, ours, service

NAMES = {**NS, "md": "urn:oasis:names:tc:SAML:2.0:metadata"}
SCHEMA = Path(onelogin.saml2.__file__).parent / "schemas" / "saml-schema-metadata-2.0.xsd"


@pytest.mark.parametrize("certificate", [None, ours().certificate], ids=["no-key", "key"])
@pytest.mark.parametrize("name_id_format", ["", *NAMEID_FORMATS.values()])
def test_metadata_has_the_form_of_the_standard(
    certificate: bytes | None, name_id_format: str
) -> None:
    made = service(certificate=certificate, name_id_format=name_id_format)
    root = etree.fromstring(render_service_metadata(made))
    etree.XMLSchema(etree.parse(SCHEMA)).assertValid(root)


def test_metadata_says_who_and_where_we_are() -> None:
    root = etree.fromstring(render_service_metadata(service(signs_requests=True)))
    role = root[0]
    assert root.get("entityID") == SP
    assert role.get("AuthnRequestsSigned") == role.get("WantAssertionsSigned") == "true"
    consumer = root.find(".//md:AssertionConsumerService", NAMES)
    assert consumer is not None
    assert (consumer.get("Location"), consumer.get("Binding")) == (ACS, POST)
    logouts = root.findall(".//md:SingleLogoutService", NAMES)
    assert [(each.get("Binding"), each.get("Location")) for each in logouts] == [
        (REDIRECT, SLO),
        (POST, SLO),
    ]
    keys = root.findall(".//ds:X509Certificate", NAMES)
    assert {b64decode(each.text or "") for each in keys} == {ours().certificate}
    uses = [each.get("use") for each in root.iterfind(".//md:KeyDescriptor", NAMES)]
    assert uses == ["signing", "encryption"]


def test_without_a_key_there_is_nothing_to_encrypt_for() -> None:
    text = render_service_metadata(service(certificate=None, wants_assertions_signed=False))
    assert b"KeyDescriptor" not in text
    assert b'WantAssertionsSigned="false"' in text
