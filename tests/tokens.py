"""Makes tokens and key sets at test time: good ones, and ones that attackers would make.

Signing is done with bare primitives, so that a mistake in what verifies can't hide itself.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER = "https://issuer.example.com/"
AUDIENCE = "orders-api"
NOON_S = 1_772_366_400  # 2026-03-01T12:00:00Z


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int, size: int | None = None) -> str:
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def packed(value: Any) -> str:
    """Return a part of a token: JSON of a value, or bytes and text as they are."""
    if isinstance(value, str):
        value = value.encode()
    data = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return b64(data)


@dataclass(frozen=True)
class Signer:
    """A private key, an algorithm, and what an issuer publishes of it."""

    alg: str
    key: Any
    kid: str | None = "k1"

    @property
    def jwk(self) -> dict[str, Any]:
        member: dict[str, Any] = {"use": "sig"}
        if self.kid is not None:
            member["kid"] = self.kid
        if isinstance(self.key, bytes):
            return {**member, "kty": "oct", "alg": self.alg, "k": b64(self.key)}
        public = self.key.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            numbers = public.public_numbers()
            return {**member, "kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        if isinstance(public, ec.EllipticCurvePublicKey):
            point, size = public.public_numbers(), (public.curve.key_size + 7) // 8
            x, y = number(point.x, size), number(point.y, size)
            curve = {256: "P-256", 384: "P-384", 521: "P-521"}[public.curve.key_size]
            return {**member, "kty": "EC", "crv": curve, "x": x, "y": y}
        raw = public.public_bytes_raw()
        curve = "Ed25519" if isinstance(public, ed25519.Ed25519PublicKey) else "Ed448"
        return {**member, "kty": "OKP", "crv": curve, "x": b64(raw)}

    def signature(self, signing_input: bytes) -> bytes:
        sizes: dict[str, hashes.HashAlgorithm] = {
            "384": hashes.SHA384(),
            "512": hashes.SHA512(),
        }
        digest = sizes.get(self.alg[2:], hashes.SHA256())
        if isinstance(self.key, bytes):
            return hmac.new(self.key, signing_input, hashlib.new(digest.name).name).digest()
        if isinstance(self.key, rsa.RSAPrivateKey):
            if self.alg.startswith("PS"):
                pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
                return self.key.sign(signing_input, pss, digest)
            return self.key.sign(signing_input, padding.PKCS1v15(), digest)
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(self.key.sign(signing_input, ec.ECDSA(digest)))
            size = (self.key.curve.key_size + 7) // 8
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        signed: bytes = self.key.sign(signing_input)
        return signed

    def header(self, **changes: Any) -> dict[str, Any]:
        named = {} if self.kid is None else {"kid": self.kid}
        header = {"alg": self.alg, "typ": "JWT", **named, **changes}
        return {name: value for name, value in header.items() if value is not ...}

    def token(self, claims: Any = None, *, header: Any = None) -> str:
        """Sign a token; `header` and `claims` may be JSON values or the exact bytes."""
        parts = (
            packed(self.header() if header is None else header),
            packed(claims_of() if claims is None else claims),
        )
        signing_input = ".".join(parts)
        return f"{signing_input}.{b64(self.signature(signing_input.encode()))}"


def claims_of(now_s: float = NOON_S, **changes: Any) -> dict[str, Any]:
    """Return claims in order at a time; a change to `...` leaves a claim out."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "client-7",
        "iat": int(now_s) - 10,
        "exp": int(now_s) + 600,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not ...}


@cache
def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(curve: str = "P-256", number: int = 0) -> ec.EllipticCurvePrivateKey:
    curves = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
    return ec.generate_private_key(curves[curve])


@cache
def ed_key(number: int = 0) -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


RS256 = Signer("RS256", rsa_key())


def key_set(*members: Any) -> bytes:
    """Return a key set's text; members are signers or JSON values."""
    keys = [each.jwk if isinstance(each, Signer) else each for each in members]
    return json.dumps({"keys": keys}).encode()


def settings(**changes: Any) -> dict[str, Any]:
    """Return a configuration of jwt-validation as a document says it."""
    config: dict[str, Any] = {
        "issuer": {"allow_list": [{"value": ISSUER}]},
        "audience": {"allow_list": [{"value": AUDIENCE}]},
        "http": {
            "tokens": [
                {
                    "type": "access_token",
                    "method": "header",
                    "name": "Authorization",
                    "prefix": "Bearer ",
                }
            ]
        },
        "jws": {
            "allowed_algorithms": ["RS256"],
            "keys": {
                "sources": {"additional_jkus": ["https://issuer.example.com/jwks"]},
                "identification": {"token_claims": ["kid"]},
            },
        },
        **changes,
    }
    return {name: value for name, value in config.items() if value is not ...}


def with_algorithms(*names: str, urls: Any = ("https://issuer.example.com/jwks",)) -> Any:
    """Return the `jws` part with other algorithms or key sets."""
    return {
        "allowed_algorithms": list(names),
        "keys": {"sources": {"additional_jkus": list(urls)}},
    }
