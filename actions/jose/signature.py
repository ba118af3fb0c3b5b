"""Which key of a set has signed a token, if any."""

from __future__ import annotations

from actions.jose.algorithm import Algorithm
from actions.jose.key import Key
from actions.jose.key_set import KeySet
from actions.jose.token import Token


def signing_key(token: Token, keys: KeySet, algorithm: Algorithm) -> Key | None:
    """Return the key that has signed a token; None when no key of the set has."""
    for key in keys.candidates(token.kid, algorithm):
        if key.has_signed(token.signing_input, token.signature, algorithm):
            return key
    return None
