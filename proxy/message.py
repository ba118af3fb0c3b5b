"""Heads as they leave us, towards the upstream and towards the client.

What is written here was decided elsewhere; this module only spells it, and makes sure that no
value, wherever it came from, becomes a line of its own (T-AH-2).
"""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from policy.forwarding import LOOP_NAME
from proxy.http1.grammar import NOT_CONTROL
from proxy.http1.request_head import CHUNKED
from proxy.refusal import Refusal, refusal_body

Line = tuple[str, str]

ERROR_CODE_FIELD = "ngrok-error-code"
# Methods whose requests have content by nature: an explicit zero spares the server a doubt.
WITH_CONTENT = frozenset({"POST", "PUT", "PATCH"})

CLOSE = ("Connection", "close")
# Written like framing, behind what policies see: `policy.forwarding` says what it is for.
LOOP_LINE = f"CDN-Loop: {LOOP_NAME}\r\n"
LOOP_LINE_BYTES = b"\r\n" + LOOP_LINE.encode("ascii")
CRLF = b"\r\n"
HEAD_END = b"\r\n\r\n"
REASONS = {status.value: status.phrase for status in HTTPStatus}


class InjectedLine(Exception):  # noqa: N818 - named for the attack
    """A name or value with a line end or another control in it; nothing of it was sent."""


class HttpDate:
    """The current time as a Date value (RFC 9110, section 5.6.7), written once per second."""

    __slots__ = ("_second", "_text")

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def at(self, now_ns: int) -> str:
        """Return the value for a time."""
        second = now_ns // 1_000_000_000
        if second != self._second:
            self._second = second
            self._text = formatdate(second, usegmt=True)
        return self._text


def render_request_head(method: str, target: str, lines: list[Line], length: int) -> bytes:
    """Spell a request head with its framing; raises InjectedLine."""
    parts = [f"{method} {target} HTTP/1.1\r\n"]
    parts += [f"{name}: {value}\r\n" for name, value in lines]
    parts.append(LOOP_LINE)
    framing = _request_framing(method, length)
    if framing:
        parts.append(f"{framing}\r\n")
    parts.append("\r\n")
    return _checked(parts)


def passing_request_head(method: str, target: str, wire: bytes, length: int) -> bytes:
    """Spell a request head with its framing; `wire` are lines in which nothing is left to check.

    Neither is there in the target.
    """
    line = f"{method} {target} HTTP/1.1".encode("ascii")
    framing = _request_framing(method, length)
    # Joined, which takes half the time that formatting does.
    if not framing:
        return b"".join((line, wire, LOOP_LINE_BYTES, CRLF))
    return b"".join((line, wire, LOOP_LINE_BYTES, framing.encode("ascii"), HEAD_END))


def _request_framing(method: str, length: int) -> str:
    if length == CHUNKED:
        return "Transfer-Encoding: chunked"
    return f"Content-Length: {length}" if length or method in WITH_CONTENT else ""


def render_response_head(status: int, reason: str, lines: Iterable[Line]) -> bytes:
    """Spell a response head; raises InjectedLine."""
    parts = [f"HTTP/1.1 {status} {reason}\r\n"]
    parts += [f"{name}: {value}\r\n" for name, value in lines]
    parts.append("\r\n")
    return _checked(parts)


def passing_response_head(status: int, reason: str, wire: bytes, own: Iterable[Line]) -> bytes:
    """Spell a response head; `wire` are lines in which nothing is left to check.

    Neither is there in the others, which are the proxy's own.
    """
    start = _status_line(status, reason)
    if not own:
        return b"".join((start, wire, HEAD_END))
    lines = "".join([f"\r\n{name}: {value}" for name, value in own])
    return b"".join((start, wire, lines.encode("ascii"), HEAD_END))


@lru_cache(maxsize=256)
def _status_line(status: int, reason: str) -> bytes:
    return f"HTTP/1.1 {status} {reason}".encode("utf-8", "surrogateescape")


def _checked(parts: list[str]) -> bytes:
    head = "".join(parts).encode("utf-8", "surrogateescape")
    # Each part brings one CRLF of ours. Any other control came in with a value.
    if len(head.translate(None, NOT_CONTROL)) != 2 * len(parts):
        raise InjectedLine
    return head


def render_refusal(refusal: Refusal, date: str) -> bytes:
    """Spell a whole response of the proxy's own, after which the connection ends."""
    body = refusal_body(refusal.status)
    lines = (*refusal_lines(refusal), ("Date", date), ("Content-Length", str(len(body))), CLOSE)
    return render_response_head(refusal.status, REASONS[refusal.status], lines) + body


def refusal_lines(refusal: Refusal) -> tuple[Line, ...]:
    """Return the fields that say what was refused, framing aside."""
    return (
        *refusal.headers,
        ("Content-Type", "text/plain; charset=utf-8"),
        (ERROR_CODE_FIELD, refusal.error_code),
    )
