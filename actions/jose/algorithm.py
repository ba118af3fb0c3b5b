"""The signature algorithms that may be configured, and what each asks of its key.

RFC 7518, section 3, and RFC 8037. `none` is not among them, in any spelling (RFC 8725,
section 3.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """One algorithm. `curves` is empty where keys have none; `hash_bytes` bounds secrets."""

    name: str
    key_type: str
    curves: tuple[str, ...] = ()
    hash_bytes: int


ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    each.name: each
    for bits, curve in ((256, "P-256"), (384, "P-384"), (512, "P-521"))
    for each in (
        Algorithm(name=f"RS{bits}", key_type="RSA", hash_bytes=bits // 8),
        Algorithm(name=f"PS{bits}", key_type="RSA", hash_bytes=bits // 8),
        Algorithm(name=f"ES{bits}", key_type="EC", curves=(curve,), hash_bytes=bits // 8),
        Algorithm(name=f"HS{bits}", key_type="oct", hash_bytes=bits // 8),
    )
} | {"EdDSA": Algorithm(name="EdDSA", key_type="OKP", curves=("Ed25519", "Ed448"), hash_bytes=64)}


@cache
def model(name: str) -> Any:
    """Return what joserfc knows of an algorithm of ours.

    It is imported with the first key, not before: that takes a while, and most policies have no
    tokens to check.
    """
    from joserfc.jws import JWSRegistry

    return JWSRegistry.algorithms[name]
