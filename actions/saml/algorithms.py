"""Which ways of signing count: strong ones only (D3-4, D3-6, SA-12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from actions.saml.names import RSA_SHA256


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How a signature is made: with which kind of key, over a digest of which kind."""

    uri: str
    key: Literal["rsa", "ec"]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithms:
    """What is accepted. There is one set for all purposes, and no setting that widens it."""

    methods: tuple[Method, ...]
    digests: tuple[tuple[str, str], ...]
    min_rsa_bits: int

    def method(self, uri: str | None) -> Method | None:
        """Return an accepted way of signing."""
        return next((each for each in self.methods if each.uri == uri), None)

    def digest(self, uri: str | None) -> str | None:
        """Return the name of an accepted digest."""
        return next((name for each, name in self.digests if each == uri), None)


STRICT: Final = Algorithms(
    methods=(
        Method(uri=RSA_SHA256, key="rsa", digest="sha256"),
        Method(uri="http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", key="rsa", digest="sha384"),
        Method(uri="http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", key="rsa", digest="sha512"),
        Method(
            uri="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", key="ec", digest="sha256"
        ),
        Method(
            uri="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", key="ec", digest="sha384"
        ),
        Method(
            uri="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512", key="ec", digest="sha512"
        ),
    ),
    digests=(
        ("http://www.w3.org/2001/04/xmlenc#sha256", "sha256"),
        ("http://www.w3.org/2001/04/xmldsig-more#sha384", "sha384"),
        ("http://www.w3.org/2001/04/xmlenc#sha512", "sha512"),
    ),
    min_rsa_bits=2048,
)
