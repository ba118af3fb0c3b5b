"""A signed token in the compact form (RFC 7515, section 7.1), read before anything is believed.

All of this happens before any cryptography: sizes, the one right base64url, a header that is one
unambiguous object, no extension that asks to be understood (D1-1 to D1-5). What the header says
about keys (`jwk`, `jku`, `x5c`, `x5u`) is never looked at.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from actions.jose import base64url
from actions.jose.key import MAX_KID
from actions.jose.strict_json import JsonError, parse_object

MAX_TOKEN: Final = 16_384
MAX_HEADER: Final = 4_096
MAX_TYPE: Final = 128
# Longer headers are read each time, so that those that are remembered stay small.
MAX_KNOWN: Final = 512


class TokenError(ValueError):
    """A text that is no acceptable token; the message says why and shows none of it."""


class CriticalExtension(TokenError):  # noqa: N818 - named for what the token has
    """A token that wants an extension to be understood, or has `b64` (RFC 7797)."""


class Header:
    """A header that was read and checked. Not to be changed: tokens share it.

    `algorithm` is any JSON value, None when it says nothing of it. `kid` is the id of the key, if
    it names one, and only ever compared. `media_type` is its `typ` in lower case without
    `application/` (RFC 7515, section 4.1.9), "" for none.
    """

    __slots__ = ("algorithm", "kid", "media_type", "members")

    def __init__(self, members: dict[str, Any]) -> None:
        """Take the members; raises TokenError for what no token of ours has."""
        _check_header(members)
        kid: str | None = members.get("kid")
        self.members = members
        self.algorithm: object = members.get("alg")
        self.kid = kid
        self.media_type = str(members.get("typ", "")).lower().removeprefix("application/")


class Token:
    """The parts of a token that nobody has verified yet."""

    __slots__ = ("header", "payload", "signature", "signing_input")

    def __init__(
        self, header: Header, payload: bytes, signing_input: bytes, signature: bytes
    ) -> None:
        self.header = header
        self.payload = payload
        self.signing_input = signing_input
        self.signature = signature

    @property
    def algorithm(self) -> object:
        """What the header says about the algorithm."""
        return self.header.algorithm

    @property
    def kid(self) -> str | None:
        """The id of the key."""
        return self.header.kid

    @property
    def media_type(self) -> str:
        """What kind of token it says it is."""
        return self.header.media_type


def parse_token(text: str) -> Token:
    """Read a compact token; raises TokenError."""
    if len(text) > MAX_TOKEN:
        raise TokenError(f"a token has at most {MAX_TOKEN} characters")
    signing_input, _, encoded_signature = text.rpartition(".")
    # One dot too many is in the payload, where it is no base64url.
    encoded_header, dot, encoded_payload = signing_input.partition(".")
    if not (encoded_header and dot and encoded_signature):
        raise TokenError("a token is three parts of base64url with dots between them")
    if len(encoded_header) > MAX_HEADER:
        raise TokenError(f"its header has more than {MAX_HEADER} characters")
    is_short = len(encoded_header) <= MAX_KNOWN
    header: Header = (_known_header if is_short else _read_header)(encoded_header)
    try:
        payload = base64url.decode(encoded_payload)
        signature = base64url.decode(encoded_signature)
    except ValueError as error:
        raise TokenError(f"a part of it: {error}") from None
    return Token(header, payload, signing_input.encode("ascii"), signature)


def _read_header(encoded: str) -> Header:
    try:
        members = parse_object(base64url.decode(encoded))
    except JsonError as wrong:
        raise TokenError(f"its header: {wrong}") from None
    except ValueError as error:
        raise TokenError(f"a part of it: {error}") from None
    return Header(members)


# An issuer writes the same header before all tokens that one key signs.
_known_header = lru_cache(maxsize=256)(_read_header)


def _check_header(header: dict[str, Any]) -> None:
    if "crit" in header or "b64" in header:
        # We understand no extension, so none that has to be understood can be accepted; an
        # ill-formed `crit` is refused for that alone (RFC 7515, section 4.1.11).
        raise CriticalExtension("its header has 'crit' or 'b64'")
    for name, limit in (("kid", MAX_KID), ("typ", MAX_TYPE), ("cty", MAX_TYPE)):
        value = header.get(name, "")
        if not isinstance(value, str) or len(value) > limit:
            raise TokenError(f"its {name!r} is no text, or too long")
