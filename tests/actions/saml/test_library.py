"""What the libraries below promise, and what we rely on: checked again with each upgrade."""

from __future__ import annotations

from typing import Any

import lxml.etree
import onelogin.saml2.xml_utils
import pytest
from lxml import etree

from actions.saml import library
from actions.saml.algorithms import STRICT, Algorithms, Method
from actions.saml.names import DS, tag
from actions.saml.refusal import MessageRefused
from tests.saml import XMLSEC, Assertion, Response, attacker, idp, one, signed


def structure(root: Any, algorithms: Algorithms = STRICT) -> str:
    try:
        library.check_structure(root, algorithms)
    except MessageRefused as refused:
        return refused.reason
    return "accepted"


def signature(root: Any, *certificates: bytes) -> str:
    try:
        library.check_signature(one(root, "//saml:Assertion/ds:Signature"), certificates)
    except MessageRefused as refused:
        return refused.reason
    return "accepted"


def test_both_libraries_hold_the_same_parser() -> None:
    versions = {
        lxml.etree.LIBXML_VERSION,
        lxml.etree.LIBXML_COMPILED_VERSION,
        XMLSEC.get_libxml_version(),
        XMLSEC.get_libxml_compiled_version(),
    }
    assert len(versions) == 1


def test_xmlsec_knows_whose_a_signature_is() -> None:
    assert signature(signed(), attacker().certificate, idp().certificate) == "accepted"
    assert signature(signed(), attacker().certificate) == "signature-invalid"
    assert signature(signed()) == "signature-invalid"
    changed = signed()
    one(changed, "//saml:NameID").text = "admin"
    assert signature(changed, idp().certificate) == "signature-invalid"


def test_a_response_is_put_together_rightly() -> None:
    assert structure(signed(what="both")) == "accepted"
    assert structure(signed(what="nothing")) == "library-refused"
    assert structure(signed(Response(status=""))) == "library-refused"
    two = Response(assertion=Assertion().text() + Assertion(id="_a2").text())
    assert structure(signed(two, what="response")) == "library-refused"
    misplaced = signed()
    one(misplaced, "//saml:Subject").append(one(misplaced, "//ds:Signature"))
    assert structure(misplaced) == "library-refused"
    repeated = signed()
    assertion = one(repeated, "//saml:Assertion")
    assertion.append(etree.fromstring(etree.tostring(assertion.find(tag(DS, "Signature")))))
    assert structure(repeated) == "library-refused"


def test_deprecated_algorithms_are_refused_by_the_frozen_settings() -> None:
    sha1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
    root = signed()
    one(root, "//ds:SignatureMethod").set("Algorithm", sha1)
    assert structure(root) == "library-refused"
    wider = Algorithms(
        methods=(Method(uri=sha1, key="rsa", digest="sha1"),), digests=(), min_rsa_bits=1024
    )
    assert structure(root, wider) == "accepted"


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        '<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>',
    ],
)
def test_the_library_refuses_document_types_itself(text: str) -> None:
    with pytest.raises(ValueError, match="DTDForbidden"):
        onelogin.saml2.xml_utils.OneLogin_Saml2_XML.to_etree(text)
