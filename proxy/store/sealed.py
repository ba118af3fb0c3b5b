"""What records look like outside of a process: encrypted, and found without saying what they are.

    byte 0        version of this format
    bytes 1-8     which key: all that are listed open, the first one seals
    bytes 9-20    nonce
    the rest      AES-256-GCM of the record's key and value, bound to its kind and place

Records are filed under a digest of their key. So a copied file holds no session id that could be
used, no e-mail address that could be read, and nothing in it can be put into another's place.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from policy.store import Kind, Record

FORMAT: Final = b"\x01"
KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 8
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
ID_BYTES: Final = 20
# Some kilobytes each.
MAX_RECENT: Final = 4096
_NONCE_AT: Final = len(FORMAT) + KEY_ID_BYTES
_SEALED_AT: Final = _NONCE_AT + NONCE_BYTES
# In front of the record's key.
_LENGTH_BYTES: Final = 4


def record_id(kind: str, name: str) -> bytes:
    """Return what a record is filed under by its key, or a group by its name."""
    text = f"{kind}\0{name}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=ID_BYTES).digest()


Open: TypeAlias = Callable[[Kind[Any], bytes, bytes, int], Record[Any] | None]


class Seal:
    """Encrypts records by the first of its keys, and opens those of any (security OA-12)."""

    __slots__ = ("_broken", "_ciphers", "_head", "_sealing")

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Take keys of 32 bytes each, at least one."""
        # The library takes 8 MB, which a process shall only pay for that has something to seal.
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._broken = (InvalidTag, ValueError)
        self._ciphers = {key_id(key): AESGCM(key) for key in keys}
        self._head = FORMAT + key_id(keys[0])
        self._sealing = AESGCM(keys[0])

    def seal(self, kind: Kind[Any], key: str, value: object) -> bytes:
        """Encode and encrypt a record."""
        name = key.encode("utf-8", "surrogatepass")
        content = len(name).to_bytes(_LENGTH_BYTES, "big") + name + kind.encode(value)
        nonce = secrets.token_bytes(NONCE_BYTES)
        purpose = _purpose(kind, record_id(kind.name, key))
        return self._head + nonce + self._sealing.encrypt(nonce, content, purpose)

    def opened(
        self, kind: Kind[Any], id_: bytes, sealed: bytes, version: int
    ) -> Record[Any] | None:
        """Return the record, or None for what we did not seal, or can't read any more."""
        cipher = self._ciphers.get(sealed[len(FORMAT) : _NONCE_AT])
        if cipher is None or not sealed.startswith(FORMAT):
            return None
        try:
            content = cipher.decrypt(
                sealed[_NONCE_AT:_SEALED_AT], sealed[_SEALED_AT:], _purpose(kind, id_)
            )
            end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "big")
            key = content[_LENGTH_BYTES:end].decode("utf-8", "surrogatepass")
            return Record(key=key, value=kind.decode(content[end:]), version=version)
        except self._broken:
            # ValueError: BadRecord of another version of ours, and a nonce that is cut off.
            return None


class RecentlyOpened:
    """Opens records for one thread, and those that have not changed since without any work."""

    __slots__ = ("_opened", "_seal")

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._opened: dict[bytes, tuple[bytes, Record[Any]]] = {}

    def __call__(
        self, kind: Kind[Any], id_: bytes, sealed: bytes, version: int
    ) -> Record[Any] | None:
        """Return what `Seal.opened` returns."""
        # What was authentic once: no other content has the same nonce and tag under one key.
        mark = sealed[:_SEALED_AT] + sealed[-TAG_BYTES:]
        known = self._opened.get(id_)
        if known is not None and known[0] == mark and known[1].version == version:
            return known[1]
        record = self._seal.opened(kind, id_, sealed, version)
        if record is not None:
            if len(self._opened) >= MAX_RECENT:
                del self._opened[next(iter(self._opened))]
            self._opened[id_] = mark, record
        return record


def key_id(key: bytes) -> bytes:
    """Return what tells a key from others and says nothing about it."""
    return hashlib.blake2b(key, digest_size=KEY_ID_BYTES, person=b"penstock-key-id").digest()


def _purpose(kind: Kind[Any], id_: bytes) -> bytes:
    return b"%b%b\0%b" % (FORMAT, kind.name.encode("utf-8"), id_)
