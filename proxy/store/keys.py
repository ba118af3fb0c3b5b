"""Files with the keys that records are encrypted with: 32 bytes, in base64, nothing else."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from proxy.store.sealed import KEY_BYTES

# Base64 of 32 bytes, and some line ends.
MAX_BYTES: Final = 64


class UnusableKey(Exception):  # noqa: N818 - what was read, not what failed
    """A file that holds no key; the message says why and shows nothing of it."""


def read_key(path: Path) -> bytes:
    """Read a key. Raises UnusableKey, and OSError for a file that can't be read."""
    with path.open("rb") as file:
        text = file.read(MAX_BYTES + 1).strip()
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise UnusableKey("it is no base64") from None
    if len(key) != KEY_BYTES:
        raise UnusableKey(f"it is not the base64 of {KEY_BYTES} bytes")
    return key


def make_key(path: Path) -> bytes:
    """Make a file with a key that only its owner can read, unless there is one already.

    Returns the key in the file. Raises UnusableKey and OSError.
    """
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(descriptor)
        # Of several processes that do this at once, one wins, with a whole file.
        with suppress(FileExistsError):
            path.hardlink_to(fresh)
    finally:
        fresh.unlink()
    return read_key(path)
