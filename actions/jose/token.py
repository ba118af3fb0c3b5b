"""A signed token in the compact form (RFC 7515, section 7.1), read before anything is believed.

All of this happens before any cryptography: sizes, the one right base64url, a header that is one
unambiguous object, no extension that asks to be understood (D1-1 to D1-5). What the header says
about keys (`jwk`, `jku`, `x5c`, `x5u`) is never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
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


# Not frozen: to make a frozen one takes as long as to read its base64.
@dataclass(slots=True, kw_only=True, repr=False)
class Token:
    """The parts of a token that nobody has verified yet. Not to be changed.

    Tokens with the same header share it.
    """

    header: dict[str, Any]
    payload: bytes
    signing_input: bytes
    signature: bytes

    @property
    def algorithm(self) -> object:
        """What the header says about the algorithm: any JSON value, None when it says nothing."""
        return self.header.get("alg")

    @property
    def kid(self) -> str | None:
        """The id of the key, if the token names one. Only ever compared."""
        kid: str | None = self.header.get("kid")
        return kid

    @property
    def media_type(self) -> str:
        """The `typ` in lower case without `application/` (RFC 7515, section 4.1.9); "" for none."""
        return str(self.header.get("typ", "")).lower().removeprefix("application/")


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
    header = _known_header(encoded_header) if len(encoded_header) <= MAX_KNOWN else None
    try:
        payload = base64url.decode(encoded_payload)
        signature = base64url.decode(encoded_signature)
    except ValueError as error:
        raise TokenError(f"a part of it: {error}") from None
    return Token(
        header=header or _read_header(encoded_header),
        payload=payload,
        signing_input=signing_input.encode("ascii"),
        signature=signature,
    )


def _read_header(encoded: str) -> dict[str, Any]:
    try:
        header = parse_object(base64url.decode(encoded))
    except JsonError as error:
        raise TokenError(f"its header: {error}") from None
    except ValueError as error:
        raise TokenError(f"a part of it: {error}") from None
    _check_header(header)
    return header


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
