from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from actions.saml.algorithms import STRICT
from actions.saml.keys import has_signed, load_private_key, own_method, pem_of, sign, usable_key
from tests.saml import attacker, idp, party

KINDS = ["rsa-2048", "P-256", "P-384", "P-521"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_we_sign_is_ours(kind: str) -> None:
    signer, other = party("idp", kind), party("other", kind)
    method = own_method(signer.key)
    value = sign(signer.key, b"data")
    for who, data, expected in (
        (signer, b"data", True),
        (signer, b"x", False),
        (other, b"data", False),
    ):
        key = usable_key(who.certificate, STRICT)
        assert key is not None
        assert has_signed(key, data, value, method) is expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_of_another_kind_is_nobodys(kind: str) -> None:
    key = usable_key(party("idp", kind).certificate, STRICT)
    assert key is not None
    for method in STRICT.methods:
        for value in (b"", bytes(63), bytes(64), bytes(96), bytes(132), bytes(256)):
            assert not has_signed(key, b"data", value, method)


def test_our_ways_to_sign_are_strict_ones() -> None:
    assert STRICT.method(own_method(idp().key).uri) is not None
    assert STRICT.method(None) is STRICT.method("urn:x") is None
    assert STRICT.digest(None) is None
    assert "sha1" not in repr(STRICT)


def test_weak_or_strange_certificates_have_no_usable_key_sa_12() -> None:
    for kind in ("rsa-1024", "secp256k1"):
        assert usable_key(party("weak", kind).certificate, STRICT) is None
    assert usable_key(b"", STRICT) is usable_key(b"0\x03\x02\x01\x00", STRICT) is None


def test_a_certificate_becomes_pem() -> None:
    assert "".join(pem_of(idp().certificate).split()) == "".join(idp().certificate_pem.split())


@pytest.mark.parametrize("kind", KINDS)
def test_our_key_is_read(kind: str) -> None:
    assert (
        load_private_key(party("sp", kind).pem).public_key() == party("sp", kind).key.public_key()
    )


def test_other_keys_are_refused_without_showing_them() -> None:
    other = ed25519.Ed25519PrivateKey.generate()
    octets = other.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    locked = attacker().key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"password"),
    )
    for pem in (octets, locked, b"x"):
        with pytest.raises(ValueError, match="that is") as caught:
            load_private_key(pem)
        assert pem.decode() not in str(caught.value)
