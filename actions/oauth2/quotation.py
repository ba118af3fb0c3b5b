"""What a provider says about an error, made fit for our log.

It is text from outside, and some providers repeat in it what they were sent. So only plain
printable characters remain, nothing that we have to keep secret, nothing that looks like it, and
not much of it (security P8, OA-19).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

MAX_QUOTED: Final = 200
LEFT_OUT: Final = "[...]"

_ERROR = re.compile(r"[a-z][a-z0-9_]{1,63}")
_UNPRINTABLE = re.compile(r"[^ -~]+")
# Codes and tokens are long and without spaces; hardly any word is.
_TOKEN_LIKE = re.compile(r"[A-Za-z0-9+/=_.~%-]{20,}")


def error_name(value: object) -> str:
    """Return an error code (RFC 6749, section 4.1.2.1) as it may be shown; "" for no such."""
    is_name = isinstance(value, str) and _ERROR.fullmatch(value)
    return str(value) if is_name else ""


def quoted(value: object, *, secrets: Iterable[str] = ()) -> str:
    """Return what of a provider's text may stand in the log; "" for what is no text."""
    if not isinstance(value, str):
        return ""
    text = value[:8192]
    for secret in secrets:
        if secret:
            text = text.replace(secret, LEFT_OUT)
    text = _TOKEN_LIKE.sub(LEFT_OUT, text)
    text = _UNPRINTABLE.sub(" ", text).strip()
    return text if len(text) <= MAX_QUOTED else text[:MAX_QUOTED] + "..."


def described(error: str, description: object, *, secrets: Iterable[str] = ()) -> str:
    """Return an error code and what the provider says about it."""
    words = quoted(description, secrets=secrets)
    return f"{error or 'an error'}: {words}" if words else error or "an error"
