"""Base64url as JOSE has it: without padding, and one text for each value (RFC 7515, section 2)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from binascii import a2b_base64
from typing import Final

_PADDING: Final = (b"", None, b"==", b"=")
# Into the alphabet of base64; what is only there, becomes what is in neither.
_TO_BASE64: Final = bytes.maketrans(b"-_+/=", b"+/!!!")
# Bits of the last character that stand for nothing may be set: another text for the same bytes,
# by which one token would have many spellings. These have none set, by what is over beyond fours.
_LAST: Final = ("", "", "AQgw", "AEIMQUYcgkosw048")


def decode(text: str) -> bytes:
    """Return the bytes; raises ValueError for anything but the one right spelling."""
    over = len(text) % 4
    padding = _PADDING[over]
    if padding is None:
        raise ValueError("no base64url")
    if over and text[-1] not in _LAST[over]:
        raise ValueError("base64url with stray bits")
    try:
        return a2b_base64(text.encode("ascii").translate(_TO_BASE64) + padding, strict_mode=True)
    except ValueError:
        raise ValueError("no base64url") from None


def encode(data: bytes) -> str:
    """Return the text, without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
