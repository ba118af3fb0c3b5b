"""The WebSocket opening handshake (RFC 6455, section 4), checked on both sides of us (T-WS-2)."""

from __future__ import annotations

import base64
import binascii
import hashlib

from proxy.http1.request_head import RequestHead
from proxy.http1.response_head import BadResponse, ResponseHead
from proxy.refusal import UPGRADE_VERSION, Refusal, bad_upgrade

WEBSOCKET = "websocket"
EXTENSIONS = "sec-websocket-extensions"
KEY_BYTES = 16
# RFC 6455, section 1.3: the text that turns a key into its proof.
ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def asks_for_websocket(head: RequestHead) -> bool:
    """Tell whether a request wants to become a WebSocket. Other upgrades are not ours to make."""
    return WEBSOCKET in head.upgrade


def handshake_refusal(head: RequestHead) -> Refusal | None:
    """Return why a handshake is refused; None for a sound one (RFC 6455, section 4.2.1)."""
    by_name = head.fields.by_name
    for name in ("upgrade", "sec-websocket-key", "sec-websocket-version"):
        if len(by_name.get(name, ())) > 1:
            return bad_upgrade(f"repeated-{name}")
    if list(head.upgrade) != [WEBSOCKET]:
        return bad_upgrade("websocket-among-other-protocols")
    if head.method != "GET" or head.version != "HTTP/1.1" or head.length != 0:
        return bad_upgrade("websocket-handshake-malformed")
    version = by_name.get("sec-websocket-version")
    if version != ["13"]:
        return UPGRADE_VERSION if version else bad_upgrade("websocket-version-missing")
    if not _is_key(websocket_key(head)):
        return bad_upgrade("websocket-key-malformed")
    return None


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def websocket_key(head: RequestHead) -> str:
    """Return the key of a handshake, "" where there is none."""
    return head.fields.first("sec-websocket-key") or ""


def check_switch(head: ResponseHead, key: str) -> None:
    """Check an upstream's 101 (RFC 6455, section 4.1); raises BadResponse."""
    # None was asked for: frames that an extension has changed can't be checked (T-WS-5).
    if EXTENSIONS in head.fields.by_name:
        raise BadResponse("websocket-extension-unasked")
    accepts = head.fields.all("sec-websocket-accept")
    digest = hashlib.sha1(f"{key}{ACCEPT_SUFFIX}".encode("ascii"), usedforsecurity=False).digest()
    if list(head.upgrade) != [WEBSOCKET] or accepts != [base64.b64encode(digest).decode("ascii")]:
        raise BadResponse("websocket-handshake-wrong")
