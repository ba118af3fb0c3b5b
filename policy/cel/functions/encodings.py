"""Base64 and the credentials of basic authentication."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from policy.cel.functions.define import function, method, plain
from policy.cel.text import bytes_text
from policy.cel.types import BYTES, STRING
from policy.cel.values import CelError


def encode_bytes(data: bytes) -> str:
    """Write bytes in base64, padded."""
    return base64.b64encode(data).decode("ascii")


def encode_text(text: str) -> str:
    """Write the UTF-8 bytes of a text in base64, padded."""
    return encode_bytes(utf8(text))


def decode_bytes(text: str) -> bytes:
    """Read base64 with its padding. Raises CelError for anything else."""
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise CelError("bad-base64", "a string is no padded base64") from None


def decode_text(text: str) -> str:
    """Read base64 whose bytes are UTF-8."""
    return bytes_text(decode_bytes(text))


def basic_credentials(user: str, password: str) -> str:
    """Write the value of an Authorization field (RFC 7617, section 2)."""
    return f"Basic {encode_text(f'{user}:{password}')}"


def utf8(text: str) -> bytes:
    """Return the bytes of a text; those of a request that were no UTF-8 come out as they were."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise CelError("invalid-utf8", "a string holds half a surrogate pair") from None


ENCODING_FUNCTIONS: Final = (
    function(
        "base64.encode",
        "Bytes, or the UTF-8 bytes of a text, in base64.",
        plain((BYTES,), STRING, encode_bytes, raises=False, cost=200),
        plain((STRING,), STRING, encode_text, cost=200),
    ),
    function(
        "base64.decode",
        "The bytes that padded base64 stands for.",
        plain((STRING,), BYTES, decode_bytes, cost=200),
    ),
    function(
        "encodeBase64",
        "The UTF-8 bytes of a text in base64.",
        method((STRING,), STRING, encode_text, cost=200),
    ),
    function(
        "decodeBase64",
        "The text whose UTF-8 bytes padded base64 stands for.",
        method((STRING,), STRING, decode_text, cost=200),
    ),
    function(
        "basic_auth.encode",
        "The value of an Authorization header for a user and a password.",
        plain((STRING, STRING), STRING, basic_credentials, cost=200),
    ),
)
