"""The responses that the proxy makes on its own account: what went wrong, and for whom.

A client learns the status and the language's error code (language spec, section 6.4); the reason
goes into the completion event, where the operator finds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

INVALID_HTTP = "ERR_NGROK_3004"
TIMEOUT = "ERR_NGROK_3005"
REFUSED = "ERR_NGROK_3006"
GATEWAY_FAILED = "ERR_NGROK_3007"
NO_RESPONSE_IN_TIME = "ERR_NGROK_3008"
ENDPOINT_OFFLINE = "ERR_NGROK_3200"
UPGRADE_EXPECTED = "ERR_NGROK_3206"
INTERNAL = "ERR_NGROK_2300"

ALLOW = ("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One response of ours: status, reason code for the log, error code for the client."""

    status: int
    reason: str
    error_code: str
    headers: tuple[tuple[str, str], ...] = ()


UNKNOWN_HOST = Refusal(404, "unknown-host", ENDPOINT_OFFLINE)
MISDIRECTED = Refusal(421, "host-differs-from-server-name", INVALID_HTTP)
NO_UPSTREAM = Refusal(502, "no-upstream", GATEWAY_FAILED)
CONNECT_FAILED = Refusal(502, "upstream-unreachable", REFUSED)
CONNECT_TIMED_OUT = Refusal(504, "upstream-connect-timeout", TIMEOUT)
TLS_FAILED = Refusal(502, "upstream-tls-failed", GATEWAY_FAILED)
UPSTREAM_CLOSED = Refusal(502, "upstream-closed", GATEWAY_FAILED)
HEAD_TIMED_OUT = Refusal(504, "upstream-response-timeout", NO_RESPONSE_IN_TIME)
UPSTREAM_IDLE = Refusal(504, "upstream-idle-timeout", TIMEOUT)
REQUEST_TIMED_OUT = Refusal(408, "request-timeout", TIMEOUT)
UPGRADE_VERSION = Refusal(
    426,
    "websocket-version-unsupported",
    UPGRADE_EXPECTED,
    (("Sec-WebSocket-Version", "13"), ("Upgrade", "websocket")),
)
BUSY = Refusal(503, "too-many-connections", GATEWAY_FAILED, (("Retry-After", "5"),))
INJECTED_LINE = Refusal(500, "control-character-in-message", INTERNAL)
INTERNAL_ERROR = Refusal(500, "internal-error", INTERNAL)


def bad_request(status: int, reason: str) -> Refusal:
    """Refuse what the client sent."""
    return Refusal(status, reason, INVALID_HTTP, (ALLOW,) if status == 405 else ())


def bad_upgrade(reason: str) -> Refusal:
    """Refuse a malformed WebSocket handshake."""
    return Refusal(400, reason, UPGRADE_EXPECTED)


def bad_response(reason: str) -> Refusal:
    """Refuse what the upstream sent."""
    return Refusal(502, f"upstream-{reason}", INVALID_HTTP)


def refusal_body(status: int) -> bytes:
    """Return the plain text that a person sees: the status in words, nothing about the inside."""
    return f"{status} {HTTPStatus(status).phrase}\n".encode("ascii")
