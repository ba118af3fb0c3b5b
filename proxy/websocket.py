"""The WebSocket opening handshake (RFC 6455, section 4), checked on both sides of us (T-WS-2)."""

from __future__ import annotations

import base64
import binascii
import hashlib

from proxy.http1.grammar import list_tokens
from proxy.http1.request_head import RequestHead
from proxy.http1.response_head import BadResponse, ResponseHead
from proxy.refusal import UPGRADE_VERSION, Refusal, bad_upgrade

WEBSOCKET = "websocket"
KEY_BYTES = 16
# RFC 6455, section 1.3: the text that turns a key into its proof.
ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_HANDSHAKE_FIELDS = frozenset({"upgrade", "sec-websocket-key", "sec-websocket-version"})


def asks_for_websocket(head: RequestHead) -> bool:
    """Tell whether a request wants to become a WebSocket. Other upgrades are not ours to make."""
    return WEBSOCKET in list_tokens(head.upgrade)


def handshake_refusal(head: RequestHead) -> Refusal | None:
    """Return why a handshake is refused; None for a sound one (RFC 6455, section 4.2.1)."""
    fields: dict[str, str] = {}
    for name, value in head.lines:
        key = name.lower()
        if key in _HANDSHAKE_FIELDS:
            if key in fields:
                return bad_upgrade(f"repeated-{key}")
            fields[key] = value
    if fields.get("upgrade", "").lower() != WEBSOCKET:
        return bad_upgrade("websocket-among-other-protocols")
    if head.method != "GET" or head.version != "HTTP/1.1" or head.length != 0:
        return bad_upgrade("websocket-handshake-malformed")
    if fields.get("sec-websocket-version") != "13":
        return UPGRADE_VERSION if "sec-websocket-version" in fields else _NO_VERSION
    if not _is_key(fields.get("sec-websocket-key", "")):
        return bad_upgrade("websocket-key-malformed")
    return None


_NO_VERSION = bad_upgrade("websocket-version-missing")


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def websocket_key(head: RequestHead) -> str:
    """Return the key of a handshake that was found sound."""
    return next(value for name, value in head.lines if name.lower() == "sec-websocket-key")


def check_switch(head: ResponseHead, key: str) -> None:
    """Check an upstream's 101 (RFC 6455, section 4.1); raises BadResponse."""
    accepts = [value for name, value in head.lines if name.lower() == "sec-websocket-accept"]
    digest = hashlib.sha1(f"{key}{ACCEPT_SUFFIX}".encode("ascii"), usedforsecurity=False).digest()
    if head.upgrade.lower() != WEBSOCKET or accepts != [base64.b64encode(digest).decode("ascii")]:
        raise BadResponse("websocket-handshake-wrong")
