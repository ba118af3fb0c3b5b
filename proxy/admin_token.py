"""The token that opens what the admin listener does not show to everyone (security T-AD-1)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from proxy.secret_vaults import SecretVaultError, read_secret

# Nobody guesses 32 characters that were drawn at random; a word that somebody chose is shorter.
_TOKEN: Final = re.compile(r"[\x21-\x7e]{32,512}")
_BEARER: Final = re.compile(r"bearer +([\x21-\x7e]+)", re.IGNORECASE)


class UnusableToken(Exception):  # noqa: N818 - what was read, not what failed
    """A file that holds no token; the message says why and shows nothing of it."""


@dataclass(frozen=True, slots=True)
class AdminToken:
    """A token, of which only a digest is kept."""

    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, text: str) -> AdminToken:
        """Take the token itself."""
        return cls(_digest(text))

    def is_shown_in(self, authorization: Sequence[str]) -> bool:
        """Tell whether Authorization values are this token (RFC 6750, section 2.1)."""
        shown = _BEARER.fullmatch(authorization[0]) if len(authorization) == 1 else None
        # Digests of the same length, so that nothing of the token shows in the time it takes.
        return hmac.compare_digest(self.digest, _digest(shown[1] if shown else ""))


def read_token(path: Path) -> str:
    """Read a file with one token. Raises UnusableToken."""
    try:
        text = read_secret(path).strip()
    except SecretVaultError as error:
        raise UnusableToken(str(error)) from None
    if _TOKEN.fullmatch(text) is None:
        raise UnusableToken("a token is 32 to 512 visible characters")
    return text


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
