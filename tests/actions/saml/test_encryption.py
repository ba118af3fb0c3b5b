from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree

from actions.saml.names import DS, SAMLP, XENC, tag
from actions.saml.response import Refusal
from tests.saml import (
    Response,
    attacker,
    encrypt,
    encrypted,
    judge,
    one,
    ours,
    party,
    reason,
    service,
    signed,
)

ENCRYPTED = "/samlp:Response/saml:EncryptedAssertion"
DATA = f"{ENCRYPTED}/xenc:EncryptedData"
KEY = f"{DATA}/ds:KeyInfo/xenc:EncryptedKey"
VALUE = "xenc:CipherData/xenc:CipherValue"


@pytest.mark.parametrize("cipher", ["aes128-gcm", "aes192-gcm", "aes256-gcm"])
@pytest.mark.parametrize("transport", ["rsa-oaep-mgf1p", "rsa-oaep"])
@pytest.mark.parametrize("key_beside", [False, True], ids=["inside", "beside"])
def test_an_encrypted_assertion_is_opened(cipher: str, transport: str, *, key_beside: bool) -> None:
    options: dict[str, Any] = {"cipher": cipher, "transport": transport, "key_beside": key_beside}
    assert reason(encrypted(**options)) == "accepted"
    assert reason(encrypted(what="both", **options)) == "accepted"


@pytest.mark.parametrize("cipher", ["aes128-cbc", "aes192-cbc", "aes256-cbc"])
def test_cbc_is_for_those_who_ask_for_it(cipher: str) -> None:
    assert reason(encrypted(cipher=cipher)) == "encryption-algorithm"
    assert reason(encrypted(cipher=cipher), at=service(allows_cbc=True)) == "accepted"


def test_pkcs_1_v1_5_is_not_spoken_sa_18() -> None:
    root = encrypted(transport="rsa-1_5")
    assert reason(root, at=service(allows_cbc=True)) == "encryption-algorithm"


def test_what_is_encrypted_must_be_signed_inside() -> None:
    for what in ("nothing", "response"):
        for at in (service(), service(wants_assertions_signed=False)):
            assert reason(encrypted(what=what), at=at) == "assertion-not-signed"


def octets(path: str, change: Callable[[bytes], bytes]) -> Callable[[Any], None]:
    def apply(root: Any) -> None:
        value = one(root, f"{path}/{VALUE}")
        value.text = b64encode(change(b64decode(value.text))).decode()

    return apply


def inside(plain: bytes) -> Callable[[Any], None]:
    def apply(root: Any) -> None:
        holder = one(root, ENCRYPTED)
        root.replace(holder, encrypt(holder, plain=plain))

    return apply


def for_somebody_else(root: Any) -> None:
    holder = one(root, ENCRYPTED)
    root.replace(holder, encrypt(holder, plain=b"<a/>", to=attacker()))


OPAQUE = {
    "content-changed": octets(DATA, lambda data: data[:-20] + bytes(1) + data[-19:]),
    "tag-changed": octets(DATA, lambda data: data[:-1] + bytes([data[-1] ^ 1])),
    "tag-short": octets(DATA, lambda data: data[:-4]),
    "tag-of-4-bytes": octets(DATA, lambda data: data[:-12]),
    "no-content": octets(DATA, lambda data: data[:12]),
    "nothing": octets(DATA, lambda _: b""),
    "key-changed": octets(KEY, lambda data: data[:-1] + bytes([data[-1] ^ 1])),
    "key-short": octets(KEY, lambda data: data[:100]),
    "no-key": octets(KEY, lambda _: b""),
    "other-key": for_somebody_else,
    "no-xml": inside(b"admin"),
    "other-xml": inside(b"<a/>"),
    "comment": inside(b"<a><!-- --></a>"),
    "doctype": inside(b"<!DOCTYPE a><a/>"),
    "empty": inside(b""),
    "undeclared-prefix": inside(b"<saml:Assertion/>"),
}


@pytest.mark.parametrize("change", OPAQUE.values(), ids=OPAQUE)
def test_whatever_fails_inside_looks_the_same_sa_18(change: Callable[[Any], None]) -> None:
    root = encrypted()
    change(root)
    verdict = judge(root)
    assert isinstance(verdict, Refusal)
    assert verdict.reason == "decryption-failed"
    assert verdict.detail == "it can't be opened with our key, or holds no assertion"


@pytest.mark.parametrize("cut", [0, 1, 15, 16, 17, 31, 33, 48])
def test_bad_padding_looks_the_same_sa_18(cut: int) -> None:
    root = encrypted(cipher="aes128-cbc")
    octets(DATA, lambda data: data[: len(data) - cut - 1] + bytes(1 if cut % 16 else 17))(root)
    assert reason(root, at=service(allows_cbc=True)) == "decryption-failed"


def no_data(root: Any) -> None:
    one(root, ENCRYPTED).remove(one(root, DATA))


def two_keys(root: Any) -> None:
    info = one(root, f"{DATA}/ds:KeyInfo")
    info.append(etree.fromstring(etree.tostring(info[0]).replace(b'"_k1"', b'"_k2"')))


def key_elsewhere(root: Any) -> None:
    extensions = etree.Element(tag(SAMLP, "Extensions"))
    extensions.append(one(root, KEY))
    root.insert(1, extensions)
    info = one(root, f"{DATA}/ds:KeyInfo")
    etree.SubElement(info, tag(DS, "RetrievalMethod"), URI="#_k1")


def no_key(root: Any) -> None:
    key = one(root, KEY)
    key.getparent().remove(key)


def other_type(root: Any) -> None:
    one(root, DATA).set("Type", XENC + "Content")


def method(path: str, algorithm: str) -> Callable[[Any], None]:
    def apply(root: Any) -> None:
        one(root, f"{path}/xenc:EncryptionMethod").set("Algorithm", algorithm)

    return apply


def no_method(root: Any) -> None:
    element = one(root, f"{DATA}/xenc:EncryptionMethod")
    element.getparent().remove(element)


def reference(root: Any) -> None:
    place = one(root, f"{DATA}/xenc:CipherData")
    place.replace(place[0], etree.Element(tag(XENC, "CipherReference"), URI="http://127.0.0.1:9/x"))


def two_digests(root: Any) -> None:
    place = one(root, f"{KEY}/xenc:EncryptionMethod")
    for _ in range(2):
        etree.SubElement(place, tag(DS, "DigestMethod"), Algorithm=DS + "sha1")


def oaep_params(root: Any) -> None:
    etree.SubElement(
        one(root, f"{KEY}/xenc:EncryptionMethod"), tag(XENC, "OAEPparams")
    ).text = "eA=="


FORMS = {
    "no-data": (no_data, "schema"),
    "two-keys": (two_keys, "encryption-form"),
    "key-elsewhere": (key_elsewhere, "encryption-form"),
    "no-key": (no_key, "schema"),
    "content": (other_type, "encryption-form"),
    "3des": (method(DATA, XENC + "tripledes-cbc"), "encryption-algorithm"),
    "no-cipher": (method(DATA, ""), "encryption-algorithm"),
    "no-method": (no_method, "encryption-algorithm"),
    "key-wrap": (method(KEY, XENC + "kw-aes128"), "encryption-algorithm"),
    "reference": (reference, "encryption-form"),
    "two-digests": (two_digests, "encryption-algorithm"),
    "parameters": (oaep_params, "encryption-algorithm"),
}


@pytest.mark.parametrize(("change", "outcome"), FORMS.values(), ids=FORMS)
def test_encryption_has_one_form_sa_18(change: Callable[[Any], None], outcome: str) -> None:
    root = encrypted()
    change(root)
    assert reason(root) == outcome


def test_without_an_rsa_key_nothing_can_be_encrypted_for_us() -> None:
    assert reason(encrypted(), at=service(private_key=None)) == "encryption-unexpected"
    at = service(private_key=party("sp", "P-256").pem)
    assert reason(encrypted(), at=at) == "encryption-unexpected"


def test_assertions_inside_the_encrypted_one_are_refused_sa_9() -> None:
    assertion = signed().find("{*}Assertion")
    inner = etree.tostring(assertion).replace(b'"_a1"', b'"_a2"')
    assertion.append(etree.fromstring(inner))
    root = encrypted()
    root.replace(one(root, ENCRYPTED), encrypt(assertion))
    assert reason(root) == "assertion-count"


def test_ids_are_unique_through_the_encryption_sa_9() -> None:
    root = signed(Response(id="_a1"))
    assertion = root.find("{*}Assertion")
    root.replace(assertion, encrypt(assertion))
    assert reason(root) == "xml-id-repeated"


def test_our_key_is_needed() -> None:
    assert reason(encrypted(to=attacker())) == "decryption-failed"
    assert ours().pem != attacker().pem
