"""Writes one response to a client, in the framing that this client and this response need."""

from __future__ import annotations

from typing import Protocol

from policy.exchange import Response
from policy.fields import Fields
from proxy.http1.body import chunk, last_chunk
from proxy.http1.request_head import RequestHead
from proxy.http1.response_head import ResponseHead
from proxy.message import Line, render_response_head

WITHOUT_CONTENT = frozenset({204, 304})
# Lines about framing and the connection are ours alone; whatever else wrote them is not believed.
_OURS = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
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
        date: str,
        trailers: tuple[Line, ...] = (),
    ) -> None:
        """Write the head and the first content; raises InjectedLine with nothing written.

        `length` is the size of the body, or negative while unknown (RFC 9112, section 6.3).
        """
        if length < 0 and ended and not trailers and self._request.version == "HTTP/1.0":
            length = len(content)
        lines, announced = _lines_out(response.headers, date)
        status = response.status_code
        if self._silent or status in WITHOUT_CONTENT:
            self._silent = True
            if status != 204 and (length > 0 or announced is not None):
                lines.append(("Content-Length", str(length) if length > 0 else str(announced)))
        elif length >= 0:
            lines.append(("Content-Length", str(length)))
        elif self._request.version == "HTTP/1.1":
            self._chunked = True
            lines.append(("Transfer-Encoding", "chunked"))
        else:
            # To an old client only the end of the connection can end such a body.
            self.keeps_alive = False
        if not self.keeps_alive:
            lines.append(("Connection", "close"))
        elif self._request.version == "HTTP/1.0":
            lines.append(("Connection", "keep-alive"))
        head = render_response_head(status, response.reason, lines)
        self._client.write(head + self._framed(content, ended=ended, trailers=trailers))

    def pass_on(self, head: ResponseHead, content: bytes) -> bool:
        """Write a head as it came and the first content; False where it must be written anew.

        Only a message in today's version whose end is told by a plain length, for a client who
        reads the same version, and with nothing in it that is about one connection.
        """
        if (
            head.data is None
            or head.length < 0
            or self._silent
            or head.status in WITHOUT_CONTENT
            or not self.keeps_alive
            or self._request.version != "HTTP/1.1"
            or "date" not in head.fields.by_name
        ):
            return False
        self.content_bytes = len(content)
        self._client.write(b"%b\r\n\r\n%b" % (head.data, content))
        return True

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


def _lines_out(fields: Fields, date: str) -> tuple[list[Line], str | None]:
    """Return the lines that are not ours to write, dated, and the length that they announced."""
    by_name = fields.by_name
    lines = fields.lines
    announced = None
    if not _OURS.isdisjoint(by_name):
        values = by_name.get("content-length")
        if values is not None and len(values) == 1:
            announced = values[0]
        lines = [line for line in lines if line[0].lower() not in _OURS]
    if "date" not in by_name:
        # RFC 9110, section 6.6.1: a recipient with a clock dates what is not.
        return [*lines, ("Date", date)], announced
    return lines.copy(), announced
