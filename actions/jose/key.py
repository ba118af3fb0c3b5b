"""One member of a key set (RFC 7517), usable for nothing but checking signatures.

A member that is not fit for that is refused, so that it can be left out: another use, too weak
(D1-6), or not what it says it is. What remains of a private key is its public half.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from actions.jose import base64url
from actions.jose.algorithm import Algorithm, model

MIN_RSA_BITS: Final = 2048
# Above this a check takes milliseconds: nobody needs it, and everybody waits.
MAX_RSA_BITS: Final = 8192
MIN_RSA_EXPONENT: Final = 65_537
MAX_RSA_EXPONENT: Final = 2**33
MIN_SECRET_BYTES: Final = 32
MAX_KID: Final = 1024
COORDINATE_BYTES: Final = {"P-256": 32, "P-384": 48, "P-521": 66}
# Moduli of a faulty generator (CVE-2017-15361) are powers of 65537 modulo each of these primes;
# among all others, one in 2**27 is.
ROCA_PRIMES: Final = (
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
)  # fmt: skip
OKP_CURVES: Final = frozenset({"Ed25519", "Ed448"})
PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})


class UnfitKey(ValueError):  # noqa: N818 - a judgement on the key
    """A member of a key set that can't be used; says why without showing any of it."""


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """One key for checking signatures. Has no representation that could show a secret."""

    # Any: one of joserfc's kinds of keys.
    native: Any
    key_type: str
    kid: str | None = None
    algorithm: str | None = None
    curve: str | None = None
    secret_bytes: int = 0

    def fits(self, algorithm: Algorithm) -> bool:
        """Tell whether signatures of an algorithm may be checked with this key (D1-3)."""
        return (
            self.key_type == algorithm.key_type
            and self.algorithm in (None, algorithm.name, self.curve)
            and (not algorithm.curves or self.curve in algorithm.curves)
            and (self.key_type != "oct" or self.secret_bytes >= algorithm.hash_bytes)
        )

    def has_signed(self, signing_input: bytes, signature: bytes, algorithm: Algorithm) -> bool:
        """Tell whether a signature is this key's. The key must fit."""
        is_own: bool = model(algorithm.name).verify(signing_input, signature, self.native)
        return is_own


def read_key(member: object, *, is_local: bool) -> Key:
    """Read one member of a key set; raises UnfitKey.

    A set from the network has no secrets and no private keys: whoever published one has lost it.
    In a set of the operator's own (`is_local`), secrets are keys for HS256 and its like.
    """
    if not isinstance(member, Mapping):
        raise UnfitKey("it is no object")
    use, operations = member.get("use"), member.get("key_ops")
    if use not in (None, "sig"):
        raise UnfitKey("its use is not 'sig'")
    if operations is not None and not _allows_verifying(operations, is_local=is_local):
        raise UnfitKey("its key_ops are without 'verify'")
    kid, algorithm = member.get("kid"), member.get("alg")
    if not (kid is None or (isinstance(kid, str) and len(kid) <= MAX_KID)):
        raise UnfitKey("its kid is no text")
    if not (algorithm is None or (isinstance(algorithm, str))):
        raise UnfitKey("its alg is no text")
    key_type = member.get("kty")
    if not is_local and (key_type == "oct" or PRIVATE_MEMBERS & member.keys()):
        raise UnfitKey("a key that is not public was published")
    from joserfc.errors import JoseError

    reader = READERS.get(key_type) if isinstance(key_type, str) else None
    if reader is None:
        raise UnfitKey("its kty is unknown")
    try:
        return reader(member, kid, algorithm)
    except UnfitKey:
        raise
    except (JoseError, ValueError):
        raise UnfitKey("its members make no key") from None


def _allows_verifying(operations: object, *, is_local: bool) -> bool:
    accepted = ("verify", "sign") if is_local else ("verify",)
    return isinstance(operations, list) and any(each in operations for each in accepted)


def _octets(member: Mapping[str, Any], name: str) -> bytes:
    text = member.get(name)
    if not isinstance(text, str):
        raise UnfitKey(f"it has no {name!r}")
    return base64url.decode(text)


def _read_rsa(member: Mapping[str, Any], kid: str | None, algorithm: str | None) -> Key:
    modulus = int.from_bytes(_octets(member, "n"), "big")
    exponent = int.from_bytes(_octets(member, "e"), "big")
    if not MIN_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS:
        raise UnfitKey(f"an RSA key has {MIN_RSA_BITS} to {MAX_RSA_BITS} bits")
    if not (MIN_RSA_EXPONENT <= exponent < MAX_RSA_EXPONENT and exponent % 2):
        raise UnfitKey("its exponent is unusual")
    if all(_is_power_of_65537(modulus, prime) for prime in ROCA_PRIMES):
        raise UnfitKey("a faulty generator made it (CVE-2017-15361)")
    from joserfc.jwk import RSAKey

    native = RSAKey.import_key({"kty": "RSA", "n": member["n"], "e": member["e"]})
    return Key(_usable(native), "RSA", kid, algorithm)


def _is_power_of_65537(number: int, prime: int) -> bool:
    power, wanted = 1, number % prime
    for _ in range(prime - 1):
        if power == wanted:
            return True
        power = power * 65_537 % prime
    return False


def _read_ec(member: Mapping[str, Any], kid: str | None, algorithm: str | None) -> Key:
    curve = member.get("crv")
    size = COORDINATE_BYTES.get(curve) if isinstance(curve, str) else None
    if size is None:
        raise UnfitKey("its curve is not P-256, P-384 or P-521")
    if {len(_octets(member, "x")), len(_octets(member, "y"))} != {size}:
        raise UnfitKey("its coordinates have the wrong length")
    from joserfc.jwk import ECKey

    point = {"kty": "EC", "crv": curve, "x": member["x"], "y": member["y"]}
    return Key(_usable(ECKey.import_key(point)), "EC", kid, algorithm, curve)


def _read_okp(member: Mapping[str, Any], kid: str | None, algorithm: str | None) -> Key:
    curve = member.get("crv")
    if not isinstance(curve, str) or curve not in OKP_CURVES:
        raise UnfitKey("its curve is not Ed25519 or Ed448")
    _octets(member, "x")
    from joserfc.jwk import OKPKey

    native = OKPKey.import_key({"kty": "OKP", "crv": curve, "x": member["x"]})
    return Key(_usable(native), "OKP", kid, algorithm, curve)


def _read_secret(member: Mapping[str, Any], kid: str | None, algorithm: str | None) -> Key:
    secret = _octets(member, "k")
    if len(secret) < MIN_SECRET_BYTES:
        raise UnfitKey(f"a secret has at least {MIN_SECRET_BYTES} bytes")
    if secret.lstrip().startswith((b"-----BEGIN", b"ssh-")):
        # The public key as a shared secret: the oldest trick with tokens.
        raise UnfitKey("a key file is no secret")
    from joserfc.jwk import OctKey

    native = OctKey.import_key(secret)
    return Key(native, "oct", kid, algorithm, secret_bytes=len(secret))


def _usable(native: Any) -> Any:
    # Makes the key now: numbers that are no key (a point beside its curve) show here, and the
    # first token does not have to wait.
    _ = native.public_key
    return native


READERS: Final[Mapping[str, Callable[[Mapping[str, Any], str | None, str | None], Key]]] = {
    "RSA": _read_rsa,
    "EC": _read_ec,
    "OKP": _read_okp,
    "oct": _read_secret,
}
