"""Writes one response to a client, in the framing that this client and this response need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from policy.exchange import Response
from proxy.http1.body import chunk, last_chunk
from proxy.http1.request_head import RequestHead
from proxy.message import CLOSE, Line, passing_response, render_response_head

NO_CONTENT: Final = 204
NOT_MODIFIED: Final = 304
# Lines about framing and the connection are ours alone; whatever else wrote them is not believed.
# All of them are NOTABLE.
_OURS: Final = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
_ALL_BUT_SIZE: Final = _OURS - {"content-length"}
_KEEP_ALIVE: Final = ("Connection", "keep-alive")
_SWITCH: tuple[Line, ...] = (("Connection", "Upgrade"), ("Upgrade", "websocket"))
# The values of a field that is not there. Not to be changed.
_NONE: Final[list[str]] = []


class Client(Protocol):
    """Where the response goes."""

    @property
    def keeps_alive(self) -> bool: ...
    def write(self, data: bytes) -> None: ...


class ResponseWriter:
    """One response on its way out. Its body is held until its head is decided on.

    `ended` tells that the body is complete; `has_begun` that the head is written. `content_bytes`
    counts what was written of the body; `keeps_alive` tells, from the head on, whether the client
    may send another request after it.
    """

    __slots__ = (
        "_chunked", "_client", "_held", "_length", "_request", "_silent", "content_bytes", "ended",
        "has_begun", "keeps_alive",
    )  # fmt: skip

    def __init__(
        self, client: Client, request: RequestHead, length: int, content: bytes, *, ended: bool
    ) -> None:
        """Answer a request.

        `length` is the size of the body, or negative while unknown (RFC 9112, section 6.3);
        `content` is what is there of it.
        """
        self._client = client
        self._request = request
        self._length = length
        self._held = content
        self._chunked = self._silent = self.has_begun = False
        self.ended = ended
        self.content_bytes = 0
        self.keeps_alive = False

    def hold(self, content: bytes, *, ended: bool) -> None:
        """Take more of the body before the head is decided on."""
        self._held += content
        self.ended = ended

    def begin(
        self, response: Response, date: Callable[[], str], trailers: tuple[Line, ...] = ()
    ) -> None:
        """Write the head and what is held; raises InjectedLine with nothing written.

        `date` gives the present time as a Date value.
        """
        request, length, content = self._request, self._length, self._held
        if length < 0 and self.ended and not trailers and request.version == "HTTP/1.0":
            length = len(content)
        status, fields = response.status_code, response.headers
        by_name = fields.by_name
        self._silent = request.method == "HEAD" or status in (NO_CONTENT, NOT_MODIFIED)
        self.keeps_alive = request.keeps_alive and self._client.keeps_alive
        own: list[Line] = []
        if "date" not in by_name:
            # RFC 9110, section 6.6.1: a recipient with a clock dates what is not.
            own.append(("Date", date()))
        announced = by_name.get("content-length", _NONE)
        size = self._size(status, length, announced)
        is_announced = len(announced) == 1 and announced[0] == size if size else not announced
        if size and not is_announced:
            own.append(("Content-Length", size))
        elif length < 0 and not self._silent:
            own += self._unknown_size()
        if not self.keeps_alive:
            own.append(CLOSE)
        elif request.version == "HTTP/1.0":
            own.append(_KEEP_ALIVE)
        ours, wire = _ALL_BUT_SIZE if is_announced else _OURS, fields.wire
        if not fields.notable.isdisjoint(ours):
            wire = fields.wire_without(fields.notable & ours)
        if wire is None:
            lines = [line for line in fields.lines if line[0].lower() not in ours]
            head = render_response_head(status, response.reason, lines + own)
            data = head + self._framed(content, trailers)
        else:
            framed = self._framed(content, trailers)
            data = passing_response(status, response.reason, wire, own, framed)
        self.has_begun = True
        self._client.write(data)

    def _size(self, status: int, length: int, announced: list[str]) -> str:
        """Return what Content-Length says; "" where it says nothing."""
        if not self._silent:
            return str(length) if length >= 0 else ""
        if status == NO_CONTENT:
            return ""
        if length > 0:
            return str(length)
        return announced[0] if len(announced) == 1 else ""

    def _unknown_size(self) -> list[Line]:
        if self._request.version == "HTTP/1.1":
            self._chunked = True
            return [("Transfer-Encoding", "chunked")]
        # To an old client only the end of the connection can end such a body.
        self.keeps_alive = False
        return []

    def switch(self, response: Response) -> None:
        """Write the head of a 101; raises InjectedLine. What comes behind it is no body."""
        lines = [line for line in response.headers.lines if line[0].lower() not in _OURS]
        lines.extend(_SWITCH)
        head = render_response_head(response.status_code, response.reason, lines)
        self.has_begun = True
        self._client.write(head)

    def content(self, content: bytes, *, ended: bool, trailers: tuple[Line, ...] = ()) -> None:
        """Write more of the body."""
        self.ended = ended
        data = self._framed(content, trailers)
        if data:
            self._client.write(data)

    def _framed(self, content: bytes, trailers: tuple[Line, ...]) -> bytes:
        if self._silent:
            return b""
        self.content_bytes += len(content)
        if not self._chunked:
            return content
        framed = chunk(content) if content else b""
        return framed + last_chunk(trailers) if self.ended else framed
