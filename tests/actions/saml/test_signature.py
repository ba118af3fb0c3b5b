from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from lxml import etree

from actions.saml.algorithms import STRICT
from actions.saml.names import DS, SAML, tag
from actions.saml.refusal import MessageRefused
from actions.saml.signature import verify
from tests.saml import (
    ADMIN,
    USER,
    XMLSEC,
    Party,
    Response,
    attacker,
    idp,
    one,
    party,
    sign,
    signed,
)

ASSERTION = "/samlp:Response/saml:Assertion"
SIGNATURE = f"{ASSERTION}/ds:Signature"
REFERENCE = f"{SIGNATURE}/ds:SignedInfo/ds:Reference"
ENVELOPED, EXCLUSIVE = (
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
    "http://www.w3.org/2001/10/xml-exc-c14n#",
)


def checked(root: Any, *certificates: bytes) -> Any:
    return verify(one(root, ASSERTION), certificates or (idp().certificate,), STRICT)


def refused(root: Any, *certificates: bytes) -> str:
    with pytest.raises(MessageRefused) as caught:
        checked(root, *certificates)
    return caught.value.reason


def resigned(root: Any, signer: Party | None = None) -> Any:
    """Make the value of a signature right again, after its SignedInfo was changed."""
    signature = one(root, SIGNATURE)
    context = XMLSEC.SignatureContext()
    context.key = XMLSEC.Key.from_memory((signer or idp()).pem, XMLSEC.KeyFormat.PEM, None)
    XMLSEC.tree.add_ids(root, ["ID"])
    context.sign(signature)
    return root


@pytest.mark.parametrize(
    ("kind", "method", "digest"),
    [
        ("rsa-2048", "RSA_SHA256", "SHA256"),
        ("rsa-2048", "RSA_SHA384", "SHA384"),
        ("rsa-3072", "RSA_SHA512", "SHA512"),
        ("P-256", "ECDSA_SHA256", "SHA256"),
        ("P-384", "ECDSA_SHA384", "SHA384"),
        ("P-521", "ECDSA_SHA512", "SHA256"),
    ],
)
def test_what_was_signed_comes_back(kind: str, method: str, digest: str) -> None:
    signer, transform = party("idp", kind), XMLSEC.Transform
    options = {"method": getattr(transform, method), "digest": getattr(transform, digest)}
    found = checked(signed(signer=signer, **options), signer.certificate)
    assert found.tag == tag(SAML, "Assertion")
    assert found.getparent() is None
    assert found.find(tag(DS, "Signature")) is None
    assert found.findtext(f"{{{SAML}}}Subject/{{{SAML}}}NameID") == USER


def test_any_of_the_configured_certificates_may_have_signed() -> None:
    certificates = (attacker().certificate, party("old", "P-256").certificate, idp().certificate)
    assert checked(signed(), *certificates) is not None


def test_what_was_signed_with_inclusive_namespaces_comes_back() -> None:
    text = Response().text()
    text = text.replace("<samlp:Response ", '<samlp:Response xmlns:xs="urn:xs" xmlns="urn:d" ', 1)
    assert checked(signed(text, prefixes="xs saml nowhere")) is not None
    assert refused(signed(text, prefixes="xs #default")) == "signature-transform"
    without = text.replace(' xmlns="urn:d"', "")
    assert checked(signed(without, prefixes="xs #default")) is not None
    bare = without.replace("saml:", "").replace("<Assertion xmlns:saml=", "<Assertion xmlns=")
    bare = bare.replace("<Issuer>", f'<Issuer xmlns="{SAML}">', 1)
    assert "<Subject>" in bare
    assert checked(signed(bare, prefixes="#default xs")) is not None


def test_white_space_around_the_signature_is_part_of_what_was_signed() -> None:
    text = Response().text().replace("</saml:Issuer>", "</saml:Issuer>\n  ")
    text = text.replace("<saml:Subject>", "\n  <saml:Subject>")
    root = signed(text)
    one(root, SIGNATURE).tail = "\n \n"
    assert refused(root) == "signature-digest"
    assert checked(signed(text)) is not None


def change_name(root: Any) -> None:
    one(root, f"{ASSERTION}/saml:Subject/saml:NameID").text = ADMIN


def change_attribute(root: Any) -> None:
    one(root, ASSERTION).set("IssueInstant", "2026-03-01T12:00:01Z")


def add_element(root: Any) -> None:
    one(root, f"{ASSERTION}/saml:Subject").append(etree.Element(tag(SAML, "X")))


def drop_signature(root: Any) -> None:
    signature = one(root, SIGNATURE)
    signature.getparent().remove(signature)


def move_signature(root: Any) -> None:
    one(root, f"{ASSERTION}/saml:Subject").append(one(root, SIGNATURE))


def double_signature(root: Any) -> None:
    one(root, ASSERTION).insert(1, deepcopy(one(root, SIGNATURE)))


def add_object(root: Any) -> None:
    etree.SubElement(one(root, SIGNATURE), tag(DS, "Object"))


def object_for_key_info(root: Any) -> None:
    signature = one(root, SIGNATURE)
    signature.replace(one(root, f"{SIGNATURE}/ds:KeyInfo"), etree.Element(tag(DS, "Object")))


def drop_id(root: Any) -> None:
    del one(root, ASSERTION).attrib["ID"]


def other_id(root: Any) -> None:
    one(root, ASSERTION).set("ID", "_other")


def damage_value(root: Any) -> None:
    value = one(root, f"{SIGNATURE}/ds:SignatureValue")
    value.text = b64encode(bytes(256)).decode()


def no_base64(root: Any) -> None:
    one(root, f"{SIGNATURE}/ds:SignatureValue").text = "%%%"


def empty_value(root: Any) -> None:
    one(root, f"{SIGNATURE}/ds:SignatureValue").text = ""


def element_in_value(root: Any) -> None:
    etree.SubElement(one(root, f"{REFERENCE}/ds:DigestValue"), "x")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (change_name, "signature-digest"),
        (change_attribute, "signature-digest"),
        (add_element, "signature-digest"),
        (drop_signature, "signature-missing"),
        (move_signature, "signature-missing"),
        (double_signature, "signature-missing"),
        (add_object, "signature-form"),
        (object_for_key_info, "signature-form"),
        (drop_id, "signature-reference"),
        (other_id, "signature-reference"),
        (damage_value, "signature-invalid"),
        (no_base64, "signature-form"),
        (empty_value, "signature-invalid"),
        (element_in_value, "xml-not-plain-text"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_any_change_is_refused(change: Callable[[Any], None], reason: str) -> None:
    root = signed()
    change(root)
    assert refused(root) == reason


def no_reference(root: Any) -> None:
    reference = one(root, REFERENCE)
    reference.getparent().remove(reference)


def two_references(root: Any) -> None:
    reference = one(root, REFERENCE)
    reference.addnext(deepcopy(reference))


def uri(value: str | None) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        reference = one(root, REFERENCE)
        if value is None:
            del reference.attrib["URI"]
        else:
            reference.set("URI", value)

    change.__name__ = f"uri {value}"
    return change


def transforms(*algorithms: str) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        parent = one(root, f"{REFERENCE}/ds:Transforms")
        for child in list(parent):
            parent.remove(child)
        for algorithm in algorithms:
            etree.SubElement(parent, tag(DS, "Transform"), Algorithm=algorithm)

    change.__name__ = "transforms " + " ".join(each.rpartition("/")[2] for each in algorithms)
    return change


def xpath_transform(root: Any) -> None:
    transforms(ENVELOPED, EXCLUSIVE)(root)
    place = one(root, f"{REFERENCE}/ds:Transforms/ds:Transform[1]")
    etree.SubElement(place, tag(DS, "XPath")).text = "1"


def method(path: str, algorithm: str) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        one(root, f"{SIGNATURE}/ds:SignedInfo{path}").set("Algorithm", algorithm)

    change.__name__ = algorithm.rpartition("/")[2]
    return change


def hmac_length(root: Any) -> None:
    place = one(root, f"{SIGNATURE}/ds:SignedInfo/ds:SignatureMethod")
    etree.SubElement(place, tag(DS, "HMACOutputLength")).text = "1"


def odd_prefixes(text: str) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        place = one(root, f"{REFERENCE}/ds:Transforms/ds:Transform[2]")
        etree.SubElement(place, f"{{{EXCLUSIVE}}}InclusiveNamespaces", PrefixList=text)

    change.__name__ = f"prefixes {text[:20]}"
    return change


def two_prefix_lists(root: Any) -> None:
    odd_prefixes("a")(root)
    odd_prefixes("b")(root)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (no_reference, "signature-form"),
        (two_references, "signature-form"),
        (uri(""), "signature-reference"),
        (uri(None), "signature-reference"),
        (uri("#_r1"), "signature-reference"),
        (uri("_a1"), "signature-reference"),
        (uri("#xpointer(id('_a1'))"), "signature-reference"),
        (uri("http://127.0.0.1:9/x#_a1"), "signature-reference"),
        (transforms(), "signature-transform"),
        (transforms(ENVELOPED), "signature-transform"),
        (transforms(EXCLUSIVE), "signature-transform"),
        (transforms(EXCLUSIVE, ENVELOPED), "signature-transform"),
        (transforms(ENVELOPED, EXCLUSIVE, EXCLUSIVE), "signature-transform"),
        (transforms(ENVELOPED, EXCLUSIVE + "WithComments"), "signature-transform"),
        (
            transforms(ENVELOPED, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
            "signature-transform",
        ),
        (
            transforms(ENVELOPED, "http://www.w3.org/TR/1999/REC-xslt-19991116"),
            "signature-transform",
        ),
        (
            transforms(ENVELOPED, "http://www.w3.org/TR/1999/REC-xpath-19991116"),
            "signature-transform",
        ),
        (transforms("http://www.w3.org/2000/09/xmldsig#base64", EXCLUSIVE), "signature-transform"),
        (xpath_transform, "signature-transform"),
        (
            method("/ds:CanonicalizationMethod", EXCLUSIVE + "WithComments"),
            "signature-transform",
        ),
        (
            method("/ds:CanonicalizationMethod", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
            "signature-transform",
        ),
        (
            method("/ds:SignatureMethod", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
            "signature-algorithm",
        ),
        (
            method("/ds:SignatureMethod", "http://www.w3.org/2000/09/xmldsig#dsa-sha1"),
            "signature-algorithm",
        ),
        (
            method("/ds:SignatureMethod", "http://www.w3.org/2000/09/xmldsig#hmac-sha1"),
            "signature-algorithm",
        ),
        (
            method("/ds:SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
            "signature-algorithm",
        ),
        (
            method("/ds:SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"),
            "signature-algorithm",
        ),
        (method("/ds:SignatureMethod", ""), "signature-algorithm"),
        (
            method("/ds:SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"),
            "signature-invalid",
        ),
        (
            method("/ds:Reference/ds:DigestMethod", "http://www.w3.org/2000/09/xmldsig#sha1"),
            "signature-algorithm",
        ),
        (method("/ds:Reference/ds:DigestMethod", "urn:none"), "signature-algorithm"),
        (hmac_length, "signature-algorithm"),
        (odd_prefixes(" ".join(f"p{n}" for n in range(33))), "signature-transform"),
        (odd_prefixes("a:b"), "signature-transform"),
        (odd_prefixes("*"), "signature-transform"),
        (two_prefix_lists, "signature-transform"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_there_is_one_form_of_signature_sa_12(change: Callable[[Any], None], reason: str) -> None:
    root = signed()
    change(root)
    assert refused(root) == reason


def test_the_one_form_holds_for_a_signature_that_is_valid_otherwise_sa_12() -> None:
    root = signed()
    two_references(root)
    assert refused(resigned(root)) == "signature-form"
    root = signed()
    transforms(ENVELOPED)(root)
    assert refused(resigned(root)) == "signature-transform"


@pytest.mark.parametrize(
    ("kind", "algorithm", "reason"),
    [
        ("rsa-1024", None, "signature-key"),
        ("secp256k1", None, "signature-key"),
        ("rsa-2048", "RSA_SHA1", "signature-algorithm"),
    ],
)
def test_weak_keys_and_digests_are_refused_sa_12(
    kind: str, algorithm: str | None, reason: str
) -> None:
    signer = party("weak", kind)
    options = {"method": getattr(XMLSEC.Transform, algorithm)} if algorithm else {}
    try:
        root = signed(signer=signer, **options)
    except XMLSEC.Error:
        pytest.skip("xmlsec itself makes no such signature")
    assert refused(root, signer.certificate) == reason


def test_the_attackers_certificate_in_key_info_is_not_trusted_sa_12() -> None:
    assert refused(signed(signer=attacker())) == "signature-invalid"


def test_the_public_key_is_no_secret_for_an_hmac_sa_12() -> None:
    root = signed()
    info = one(root, f"{SIGNATURE}/ds:SignedInfo")
    algorithm = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
    one(root, f"{SIGNATURE}/ds:SignedInfo/ds:SignatureMethod").set("Algorithm", algorithm)
    octets = etree.tostring(info, method="c14n", exclusive=True)
    value = hmac.digest(idp().certificate_pem.encode(), octets, "sha256")
    one(root, f"{SIGNATURE}/ds:SignatureValue").text = b64encode(value).decode()
    assert refused(root) == "signature-algorithm"


def test_without_a_usable_certificate_nothing_is_signed() -> None:
    assert refused(signed(), b"no certificate") == "signature-key"
    with pytest.raises(MessageRefused):
        verify(one(signed(), ASSERTION), (), STRICT)


def test_an_expired_certificate_still_stands_for_its_key_sa_20() -> None:
    old = party("old", expired=True)
    assert checked(signed(signer=old), old.certificate) is not None


def test_a_response_and_its_assertion_are_verified_each_on_its_own() -> None:
    root = signed(what="both")
    found = verify(root, (idp().certificate,), STRICT)
    assert found.find(tag(SAML, "Assertion")) is not None
    assert found.find(tag(DS, "Signature")) is None
    assert checked(root) is not None


def test_signing_twice_is_refused() -> None:
    root = signed()
    sign(one(root, ASSERTION))
    assert refused(root) == "signature-missing"
