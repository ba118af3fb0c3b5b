"""Writes one response to a client, in the framing that this client and this response need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from policy.exchange import Response
from proxy.http1.body import chunk, last_chunk
from proxy.http1.request_head import RequestHead
from proxy.message import CLOSE, Line, passing_response_head, render_response_head

NO_CONTENT = 204
WITHOUT_CONTENT = frozenset({NO_CONTENT, 304})
# Lines about framing and the connection are ours alone; whatever else wrote them is not believed.
# All of them are NOTABLE.
_OURS = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
_ALL_BUT_SIZE = _OURS - {"content-length"}
_KEEP_ALIVE = ("Connection", "keep-alive")
_SWITCH: tuple[Line, ...] = (("Connection", "Upgrade"), ("Upgrade", "websocket"))


class Client(Protocol):
    """Where the response goes."""

    @property
    def keeps_alive(self) -> bool: ...
    def write(self, data: bytes) -> None: ...


class ResponseWriter:
    """One response on its way out.

    `content_bytes` counts what was written of the body; `keeps_alive` tells, from the head on,
    whether the client may send another request after it.
    """

    __slots__ = ("_chunked", "_client", "_request", "_silent", "content_bytes", "keeps_alive")

    def __init__(self, client: Client, request: RequestHead) -> None:
        self._client = client
        self._request = request
        self._chunked = False
        self._silent = request.method == "HEAD"
        self.content_bytes = 0
        self.keeps_alive = request.keeps_alive and client.keeps_alive

    def begin(
        self,
        response: Response,
        length: int,
        content: bytes,
        *,
        ended: bool,
        date: Callable[[], str],
        trailers: tuple[Line, ...] = (),
    ) -> None:
        """Write the head and the first content; raises InjectedLine with nothing written.

        `length` is the size of the body, or negative while unknown (RFC 9112, section 6.3).
        `date` gives the present time as a Date value.
        """
        if length < 0 and ended and not trailers and self._request.version == "HTTP/1.0":
            length = len(content)
        status, fields = response.status_code, response.headers
        if status in WITHOUT_CONTENT:
            self._silent = True
        own: list[Line] = []
        if "date" not in fields.by_name:
            # RFC 9110, section 6.6.1: a recipient with a clock dates what is not.
            own.append(("Date", date()))
        announced = fields.by_name.get("content-length", [])
        size = self._announced_size(status, length, announced)
        if size is not None and size != announced:
            own += [("Content-Length", each) for each in size]
        if size is None and not self._silent:
            own += self._unknown_size()
        if not self.keeps_alive:
            own.append(CLOSE)
        elif self._request.version == "HTTP/1.0":
            own.append(_KEEP_ALIVE)
        replaced = fields.notable & (_ALL_BUT_SIZE if size == announced else _OURS)
        wire = fields.wire_without(replaced) if replaced else fields.wire
        if wire is None:
            lines = [line for line in fields.lines if line[0].lower() not in replaced]
            head = render_response_head(status, response.reason, lines + own)
        else:
            head = passing_response_head(status, response.reason, wire, own)
        self._client.write(head + self._framed(content, ended=ended, trailers=trailers))

    def _announced_size(self, status: int, length: int, announced: list[str]) -> list[str] | None:
        """Return what Content-Length says, [] for nothing; None where the size is not known."""
        if not self._silent:
            return [str(length)] if length >= 0 else None
        if status == NO_CONTENT:
            return []
        if length > 0:
            return [str(length)]
        return announced if len(announced) == 1 else []

    def _unknown_size(self) -> list[Line]:
        if self._request.version == "HTTP/1.1":
            self._chunked = True
            return [("Transfer-Encoding", "chunked")]
        # To an old client only the end of the connection can end such a body.
        self.keeps_alive = False
        return []

    def switch(self, response: Response) -> None:
        """Write the head of a 101; raises InjectedLine."""
        lines = [line for line in response.headers.lines if line[0].lower() not in _OURS]
        lines.extend(_SWITCH)
        self._client.write(render_response_head(response.status_code, response.reason, lines))

    def content(self, content: bytes, *, ended: bool, trailers: tuple[Line, ...] = ()) -> None:
        """Write more of the body."""
        data = self._framed(content, ended=ended, trailers=trailers)
        if data:
            self._client.write(data)

    def _framed(self, content: bytes, *, ended: bool, trailers: tuple[Line, ...]) -> bytes:
        if self._silent:
            return b""
        self.content_bytes += len(content)
        if not self._chunked:
            return content
        framed = chunk(content) if content else b""
        return framed + last_chunk(trailers) if ended else framed
