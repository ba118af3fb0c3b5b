"""Checksums and digests of a text's UTF-8 bytes."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable
from typing import Final

import xxhash

from policy.cel.declarations import Function
from policy.cel.functions.define import function, method, plain
from policy.cel.functions.encodings import utf8
from policy.cel.types import STRING
from policy.cel.values import CelError
from policy.cel.work import Work

# The reflected polynomial of ISO 3309.
_CRC64_POLYNOMIAL: Final = 0xD800000000000000
_ALL_ONES: Final = 2**64 - 1


def _crc64_table() -> tuple[int, ...]:
    table: list[int] = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (_CRC64_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return tuple(table)


_CRC64_TABLE: Final = _crc64_table()


def crc32(data: bytes) -> bytes:
    """CRC-32 as of zip files and Ethernet."""
    return zlib.crc32(data).to_bytes(4, "big")


def crc64(data: bytes) -> bytes:
    """CRC-64 with the ISO polynomial."""
    value = _ALL_ONES
    for byte in data:
        value = _CRC64_TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return (value ^ _ALL_ONES).to_bytes(8, "big")


# Policies compare fingerprints that others made with these; none is used as a protection here.
# The last column is work for each KiB.
_DIGESTS: Final[tuple[tuple[str, Callable[[bytes], bytes], int], ...]] = (
    ("crc32", crc32, 64),
    ("crc64", crc64, 4096),
    ("md5", lambda data: hashlib.md5(data, usedforsecurity=False).digest(), 64),
    ("sha1", lambda data: hashlib.sha1(data, usedforsecurity=False).digest(), 64),
    ("sha256", lambda data: hashlib.sha256(data).digest(), 128),
    ("sha512", lambda data: hashlib.sha512(data).digest(), 128),
    ("xxhash64", lambda data: xxhash.xxh64(data, seed=0).digest(), 16),
)


def _declare(name: str, digest: Callable[[bytes], bytes], cost: int) -> tuple[Function, Function]:
    def charged(work: Work, text: str) -> bytes:
        data = utf8(text)
        work.spend(1 + (len(data) * cost >> 10))
        return digest(data)

    def hexadecimal(work: Work, text: str) -> str:
        return charged(work, text).hex()

    def in_format(work: Work, text: str, form: str) -> str:
        if form == "hex":
            return hexadecimal(work, text)
        if form == "base64":
            return base64.b64encode(charged(work, text)).decode("ascii")
        raise CelError("bad-argument", f"{name}() takes the formats 'hex' and 'base64'")

    doc = f"The {name} of a text's UTF-8 bytes, in 'hex' or 'base64'."
    two = (STRING, STRING)
    return (
        function(
            f"hash.{name}",
            doc,
            plain((STRING,), STRING, hexadecimal, counts_work=True),
            plain(two, STRING, in_format, counts_work=True),
        ),
        function(
            name,
            doc,
            method((STRING,), STRING, hexadecimal, counts_work=True),
            method(two, STRING, in_format, counts_work=True),
        ),
    )


HASH_FUNCTIONS: Final = tuple(declared for row in _DIGESTS for declared in _declare(*row))
