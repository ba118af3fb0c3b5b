"""Proof Key for Code Exchange: a stolen code is worth nothing without its verifier (RFC 7636)."""

from __future__ import annotations

from typing import Final

METHOD: Final = "S256"


def challenge_of(verifier: str) -> str:
    """Return what the provider is shown of a verifier. `plain` is never used (D2-4)."""
    # Imported with the first login: that takes a while, and most policies have none.
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    return str(create_s256_code_challenge(verifier))
