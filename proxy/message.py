"""Heads as they leave us, towards the upstream and towards the client.

What is written here was decided elsewhere; this module only spells it, and makes sure that no
value, wherever it came from, becomes a line of its own (T-AH-2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from policy.forwarding import LOOP_NAME
from proxy.http1.grammar import NOT_CONTROL
from proxy.http1.request_head import CHUNKED
from proxy.refusal import Refusal, refusal_body

Line = tuple[str, str]

ERROR_CODE_FIELD = "ngrok-error-code"
# Methods whose requests have content by nature: an explicit zero spares the server a doubt.
WITH_CONTENT: Final = frozenset({"POST", "PUT", "PATCH"})

CLOSE: Final = ("Connection", "close")
# Written like framing, behind what policies see: `policy.forwarding` says what it is for.
LOOP_LINE = f"CDN-Loop: {LOOP_NAME}\r\n"
LOOP_LINE_BYTES: Final = b"\r\n" + LOOP_LINE.encode("ascii")
CRLF: Final = b"\r\n"
HEAD_END: Final = b"\r\n\r\n"
REASONS: Final = {status.value: status.phrase for status in HTTPStatus}
# As nearly every response begins; a server may give a reason of its own.
_STATUS_LINES: Final = {
    status: f"HTTP/1.1 {status} {reason}".encode("ascii") for status, reason in REASONS.items()
}


class InjectedLine(Exception):  # noqa: N818 - named for the attack
    """A name or value with a line end or another control in it; nothing of it was sent."""


class HttpDate:
    """The current time as a Date value (RFC 9110, section 5.6.7), written once per second."""

    __slots__ = ("_now_ns", "_second", "_text")

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._second = -1
        self._text = ""

    def now(self) -> str:
        """Return the value for the present time."""
        second = self._now_ns() // 1_000_000_000
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
    framing = _request_framing(method, length)
    end = f"{framing}\r\n\r\n".encode("ascii") if framing else CRLF
    # Joined, which takes half the time that formatting does.
    return b"".join(
        (
            method.encode("ascii"), b" ", target.encode("ascii"), b" HTTP/1.1",
            wire, LOOP_LINE_BYTES, end,
        )
    )  # fmt: skip


def _request_framing(method: str, length: int) -> str:
    if length == 0:
        return "Content-Length: 0" if method in WITH_CONTENT else ""
    return "Transfer-Encoding: chunked" if length == CHUNKED else f"Content-Length: {length}"


def render_response_head(status: int, reason: str, lines: Iterable[Line]) -> bytes:
    """Spell a response head; raises InjectedLine."""
    parts = [f"HTTP/1.1 {status} {reason}\r\n"]
    parts += [f"{name}: {value}\r\n" for name, value in lines]
    parts.append("\r\n")
    return _checked(parts)


def passing_response(
    status: int, reason: str, wire: bytes, own: list[Line], content: bytes
) -> bytes:
    """Spell a response head, and what follows it; `wire` are lines with nothing left to check.

    Neither is there in the others, which are the proxy's own.
    """
    start = _status_line(status, reason)
    if not own:
        return b"".join((start, wire, HEAD_END, content))
    lines = "".join([f"\r\n{name}: {value}" for name, value in own])
    return b"".join((start, wire, lines.encode("ascii"), HEAD_END, content))


def _status_line(status: int, reason: str) -> bytes:
    if REASONS.get(status) == reason:
        return _STATUS_LINES[status]
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
