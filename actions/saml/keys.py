"""Whose signatures count: the keys of configured certificates, strong ones only (D3-4, SA-12).

A certificate stands for its key and nothing else. Its dates say nothing here: what is trusted is
what the metadata lists, and providers go on using keys whose certificates have expired (SA-20).
"""

from __future__ import annotations

from base64 import encodebytes
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from actions.saml.algorithms import STRICT, Algorithms, Method

PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

MAX_RSA_BITS: Final = 8192
CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1"})
HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - inside RSA-OAEP, where collisions do not matter
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


def usable_key(certificate: bytes, algorithms: Algorithms) -> PublicKey | None:
    """Return the key of a DER certificate; None for one that is too weak or of another kind."""
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except ValueError:
        return None
    if isinstance(key, rsa.RSAPublicKey):
        return key if algorithms.min_rsa_bits <= key.key_size <= MAX_RSA_BITS else None
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key if key.curve.name in CURVES else None
    return None


def without_issuers(certificates: Sequence[bytes]) -> list[bytes]:
    """Leave out certificates that have issued others of the list.

    A provider may list the authorities above its certificate, whose keys sign no messages.
    """
    loaded = [(each, x509.load_der_x509_certificate(each)) for each in certificates]
    return [
        octets
        for octets, certificate in loaded
        if not any(
            other.issuer == certificate.subject and other.subject != certificate.subject
            for _, other in loaded
        )
    ]


def pem_of(certificate: bytes) -> str:
    """Return a DER certificate as PEM."""
    lines = encodebytes(certificate).decode("ascii")
    return f"-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n"


@lru_cache(maxsize=32)
def load_private_key(pem: bytes) -> PrivateKey:
    """Read our own key; raises ValueError without showing any of it.

    Takes a tenth of a second, for all that is checked about it: done once for each.
    """
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (TypeError, ValueError):
        raise ValueError("that is no private key in PEM, without a password") from None
    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        return key
    raise ValueError("that is neither an RSA nor an elliptic curve key")


def has_signed(key: PublicKey, data: bytes, signature: bytes, method: Method) -> bool:
    """Tell whether a signature over octets is this key's."""
    digest = HASHES[method.digest]
    try:
        if isinstance(key, rsa.RSAPublicKey):
            if method.key != "rsa":
                return False
            key.verify(signature, data, padding.PKCS1v15(), digest)
        else:
            half = (key.curve.key_size + 7) // 8
            if method.key != "ec" or len(signature) != 2 * half:
                return False
            # XML Signature, section 6.4.3: the two numbers, of full length, one after the other.
            r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
            key.verify(encode_dss_signature(r, s), data, ec.ECDSA(digest))
    except InvalidSignature:
        return False
    return True


def own_method(key: PrivateKey) -> Method:
    """Return how we sign with a key of ours."""
    kind: Literal["rsa", "ec"] = "rsa" if isinstance(key, rsa.RSAPrivateKey) else "ec"
    return next(each for each in STRICT.methods if (each.key, each.digest) == (kind, "sha256"))


def sign(key: PrivateKey, data: bytes) -> bytes:
    """Sign octets in our own way."""
    digest = HASHES["sha256"]
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), digest)
    half = (key.curve.key_size + 7) // 8
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(digest)))
    return r.to_bytes(half, "big") + s.to_bytes(half, "big")
