"""Base64url as JOSE has it: without padding, and one text for each value (RFC 7515, section 2)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

_TEXT = re.compile(r"[A-Za-z0-9_-]*")


def decode(text: str) -> bytes:
    """Return the bytes; raises ValueError for anything but the one right spelling."""
    if len(text) % 4 == 1 or not _TEXT.fullmatch(text):
        raise ValueError("no base64url")
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # Unused bits of the last character may be set: another text for the same bytes, by which
    # one token would have many spellings.
    if encode(data) != text:
        raise ValueError("base64url with stray bits")
    return data


def encode(data: bytes) -> str:
    """Return the text, without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
