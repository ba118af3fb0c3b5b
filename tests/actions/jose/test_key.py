from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from actions.jose.algorithm import ALGORITHMS
from actions.jose.key import Key, UnfitKey, read_key
from tests.tokens import RS256, Signer, b64, ec_key, ed_key, number, rsa_key

SIGNERS = {
    **{f"RS{bits}": Signer(f"RS{bits}", rsa_key()) for bits in (256, 384, 512)},
    **{f"PS{bits}": Signer(f"PS{bits}", rsa_key()) for bits in (256, 384, 512)},
    "ES256": Signer("ES256", ec_key("P-256")),
    "ES384": Signer("ES384", ec_key("P-384")),
    "ES512": Signer("ES512", ec_key("P-521")),
    "EdDSA": Signer("EdDSA", ed_key()),
    "HS256": Signer("HS256", b"0123456789abcdef" * 2),
    "HS384": Signer("HS384", b"0123456789abcdef" * 3),
    "HS512": Signer("HS512", b"0123456789abcdef" * 4),
}
RSA, EC = RS256.jwk, SIGNERS["ES256"].jwk
SECRET = SIGNERS["HS256"].jwk


def changed(member: dict[str, Any], **changes: Any) -> dict[str, Any]:
    merged = member | changes
    return {name: value for name, value in merged.items() if value is not ...}


@pytest.mark.parametrize("name", SIGNERS)
def test_a_key_knows_its_own_signature(name: str) -> None:
    signer = SIGNERS[name]
    key = read_key(signer.jwk, is_local=True)
    signature = signer.signature(b"message")
    assert key.fits(ALGORITHMS[name])
    assert key.has_signed(b"message", signature, ALGORITHMS[name])
    assert not key.has_signed(b"massage", signature, ALGORITHMS[name])
    assert not key.has_signed(b"message", signature[:-1], ALGORITHMS[name])
    assert not key.has_signed(b"message", b"", ALGORITHMS[name])


@pytest.mark.parametrize("name", SIGNERS)
def test_a_key_fits_only_its_own_kind(name: str) -> None:
    key = read_key(SIGNERS[name].jwk, is_local=True)
    fitting = {each.name for each in ALGORITHMS.values() if key.fits(each)}
    family = name[:2]
    allowed = {each for each in ALGORITHMS if each[:2] == family}
    if family in ("RS", "PS"):
        allowed = {each for each in ALGORITHMS if each[:2] in ("RS", "PS")}
    assert name in fitting
    assert fitting <= allowed


def test_the_alg_of_a_key_binds_it() -> None:
    key = read_key(changed(RSA, alg="RS256"), is_local=False)
    assert [name for name in ALGORITHMS if key.fits(ALGORITHMS[name])] == ["RS256"]


def test_a_key_may_name_the_curve_as_its_algorithm() -> None:
    key = read_key(changed(SIGNERS["EdDSA"].jwk, alg="Ed25519"), is_local=False)
    assert key.fits(ALGORITHMS["EdDSA"])


def test_a_secret_is_at_least_as_long_as_the_hash() -> None:
    key = read_key(changed(SECRET, alg=...), is_local=True)
    assert key.fits(ALGORITHMS["HS256"])
    assert not key.fits(ALGORITHMS["HS384"])


PEM = rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
POINT = ec_key().public_key().public_numbers()
UNFIT: dict[str, Any] = {
    "no object": [],
    "a text": "key",
    "for encryption": changed(RSA, use="enc"),
    "use is no text": changed(RSA, use=7),
    "not for verifying": changed(RSA, key_ops=["encrypt"]),
    "key_ops is no list": changed(RSA, key_ops="verify"),
    "kid is a number": changed(RSA, kid=7),
    "kid of 10 kB": changed(RSA, kid="k" * 10_000),
    "alg is a list": changed(RSA, alg=["RS256"]),
    "no kty": changed(RSA, kty=...),
    "unknown kty": changed(RSA, kty="rsa"),
    "kty is a list": changed(RSA, kty=["RSA"]),
    "RSA of 1024 bits": Signer("RS256", rsa_key(bits=1024)).jwk,
    "RSA of 16384 bits": changed(RSA, n=number((1 << 16_383) + 1)),
    "exponent 1": changed(RSA, e="AQ"),
    "exponent 3": changed(RSA, e="Aw"),
    "even exponent": changed(RSA, e=number(65_538)),
    "huge exponent": changed(RSA, e=RSA["n"]),
    "modulus missing": changed(RSA, n=...),
    "modulus with padding": changed(RSA, n=RSA["n"] + "=="),
    "modulus is a number": changed(RSA, n=7),
    "faulty generator": changed(RSA, n=number(pow(65_537, 125))),
    "point off its curve": changed(EC, y=number(POINT.y ^ 1, 32)),
    "short coordinate": changed(EC, x=b64(b"\1" * 31)),
    "another curve": changed(EC, crv="P-384"),
    "unknown curve": changed(EC, crv="secp256k1"),
    "curve is a list": changed(EC, crv=["P-256"]),
    "X25519": changed(SIGNERS["EdDSA"].jwk, crv="X25519"),
    "EdDSA of the wrong length": changed(SIGNERS["EdDSA"].jwk, x=b64(b"\1" * 31)),
    "RSA called EC": changed(RSA, kty="EC"),
}
UNFIT_LOCALLY = UNFIT | {
    "empty secret": changed(SECRET, k=""),
    "short secret": changed(SECRET, k=b64(b"s" * 31)),
    "a PEM as secret": changed(SECRET, k=b64(PEM)),
    "an ssh key as secret": changed(SECRET, k=b64(b"ssh-ed25519 " + b"A" * 40)),
}
UNFIT_FROM_THE_NETWORK = {
    "a secret": SECRET,
    "a private key": changed(EC, d=b64(b"\1" * 32)),
    "a private RSA key": changed(RSA, p="AQAB"),
    "the private operation": changed(RSA, key_ops=["sign"]),
}


@pytest.mark.parametrize("member", UNFIT_LOCALLY.values(), ids=UNFIT_LOCALLY)
def test_an_unfit_key_is_refused(member: Any) -> None:
    with pytest.raises(UnfitKey):
        read_key(member, is_local=True)


@pytest.mark.parametrize("member", UNFIT_FROM_THE_NETWORK.values(), ids=UNFIT_FROM_THE_NETWORK)
def test_what_an_issuer_should_not_publish_is_refused(member: Any) -> None:
    """JW-6, D1-15."""
    with pytest.raises(UnfitKey):
        read_key(member, is_local=False)


def test_a_local_private_key_is_taken_for_its_public_half() -> None:
    signer = SIGNERS["ES256"]
    private = number(ec_key().private_numbers().private_value, 32)
    key = read_key(changed(signer.jwk, d=private, key_ops=["sign"]), is_local=True)
    assert key.has_signed(b"m", signer.signature(b"m"), ALGORITHMS["ES256"])
    assert key.native.is_private is False


ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
GOOD = SIGNERS["ES256"].signature(b"m")
BAD_ECDSA = {
    "r is 0": bytes(32) + GOOD[32:],
    "s is 0": GOOD[:32] + bytes(32),
    "both are 0": bytes(64),
    "r is n": ORDER.to_bytes(32, "big") + GOOD[32:],
    "s is n": GOOD[:32] + ORDER.to_bytes(32, "big"),
    "r + n": b"\xff" * 32 + GOOD[32:],
    "DER": ec_key().sign(b"m", ec.ECDSA(hashes.SHA256())),
    "one octet more": GOOD + b"\0",
}


@pytest.mark.parametrize("signature", BAD_ECDSA.values(), ids=BAD_ECDSA)
def test_a_malformed_ecdsa_signature_is_none(signature: bytes) -> None:
    """JW-8."""
    key = read_key(EC, is_local=False)
    assert key.has_signed(b"m", GOOD, ALGORITHMS["ES256"])
    assert not key.has_signed(b"m", signature, ALGORITHMS["ES256"])


def test_no_representation_shows_a_secret() -> None:
    key: Key = read_key(SECRET, is_local=True)
    assert SECRET["k"] not in repr(key)
