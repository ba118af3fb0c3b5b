"""Short WebSocket frames (RFC 6455, section 5.2): below 126 bytes, never in fragments."""

from __future__ import annotations

import base64
import hashlib

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MASKED = 0x80
MASK_AND_HEAD, HEAD = 6, 2


def accept_token(key: bytes) -> bytes:
    """Return what a server answers to a handshake's key."""
    return base64.b64encode(hashlib.sha1(key + GUID).digest())


def mask(data: bytes, key: bytes) -> bytes:
    """Put a mask of four bytes on a payload, or take it off."""
    size = len(data)
    pad = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")


def masked_text(payload: bytes, key: bytes) -> bytes:
    """Return a text frame as a client sends it."""
    return bytes((0x81, MASKED | len(payload))) + key + mask(payload, key)


def text(payload: bytes) -> bytes:
    """Return a text frame as a server sends it."""
    return bytes((0x81, len(payload))) + payload


def unmasked(data: bytes) -> tuple[bytes, bytes]:
    """Turn a client's frames into a server's with the same payload; return what is left too."""
    frames = []
    while len(data) >= HEAD and len(data) >= (size := MASK_AND_HEAD + (data[1] & 0x7F)):
        payload = mask(data[MASK_AND_HEAD:size], data[HEAD:MASK_AND_HEAD])
        frames.append(bytes((data[0], len(payload))) + payload)
        data = data[size:]
    return b"".join(frames), data
