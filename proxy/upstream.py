"""One connection to an upstream: sends requests, reads responses.

It is as strict as we are with clients, and carries no further request after anything odd (T-SM-R).
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Final, Protocol, cast

from proxy.deadlines import Deadlines, inf
from proxy.http1.body import BodyReader, ChunkedReader, LengthReader, UntilCloseReader
from proxy.http1.grammar import GrammarError
from proxy.http1.request_head import CHUNKED
from proxy.http1.response_head import (
    UNTIL_CLOSE,
    BadResponse,
    ResponseHead,
    ResponseHeads,
)
from proxy.limits import Limits
from proxy.refusal import HEAD_TIMED_OUT, UPSTREAM_CLOSED, UPSTREAM_IDLE, Refusal, bad_response

# More interim responses than any real server sends before its answer.
MAX_INTERIM: Final = 16
MAX_TRAILERS: Final = 100
MAX_TRAILER_BYTES: Final = 8192
SWITCHING_PROTOCOLS: Final = 101
EVENT_STREAM: Final = "text/event-stream"


class ResponseTaker(Protocol):
    """The exchange that a connection works for. `ended` says that the response is complete."""

    def interim_response(self, head: ResponseHead) -> None: ...
    def switched_protocols(self, head: ResponseHead, first: bytes) -> None: ...
    def response_head(self, head: ResponseHead, content: bytes, *, ended: bool) -> None: ...
    def response_content(self, content: bytes, *, ended: bool) -> None: ...
    def tunnel_content(self, data: bytes) -> None: ...
    def upstream_failed(self, failure: Refusal) -> None: ...
    def upstream_blocked(self) -> None: ...
    def upstream_unblocked(self) -> None: ...


class Owner(Protocol):
    """The pool that keeps a connection between requests."""

    heads: ResponseHeads

    def forget(self, connection: UpstreamConnection) -> None: ...


class UpstreamConnection(asyncio.Protocol):
    """The upstream side of one exchange after another.

    `answered` tells whether any byte of a response to the current request has come; without one
    a request on a kept connection may have hit the moment at which the server closed it.
    """

    __slots__ = (
        "_buffer", "_deadlines", "_head_timeout_s", "_hung_up", "_idle_timeout_s", "_interim",
        "_is_paused", "_limits", "_max_fields", "_max_head_bytes", "_method", "_owner", "_reader",
        "_response_timeout_s", "_switched", "_taker", "_transport", "_upgrading", "answered",
        "deadline", "head", "retire_at", "reused",
    )  # fmt: skip

    def __init__(self, owner: Owner, deadlines: Deadlines, limits: Limits) -> None:
        self._owner = owner
        self._deadlines = deadlines
        self._limits = limits
        # What every response needs of them is at hand.
        self._head_timeout_s = limits.upstream_head_timeout_s
        self._response_timeout_s = limits.upstream_idle_timeout_s
        self._max_head_bytes = limits.max_response_head_bytes
        self._max_fields = limits.max_response_fields
        self._idle_timeout_s = 0.0
        self._transport: asyncio.Transport | None = None
        self._taker: ResponseTaker | None = None
        self._reader: BodyReader | None = None
        self._buffer = b""
        self._interim = 0
        self._method = ""
        self._upgrading = False
        self._switched = self._hung_up = False
        self._is_paused = False
        self.answered = False
        self.head: ResponseHead | None = None
        self.reused = False
        # From then on it takes no further request: the name may lead elsewhere by now.
        self.retire_at = inf
        self.deadline = inf

    # What an exchange does

    def begin(self, taker: ResponseTaker, method: str, *, upgrading: bool) -> None:
        """Take an exchange's side; `upgrading` allows a 101 answer."""
        self._taker = taker
        self._method = method
        self._upgrading = upgrading
        self._interim = 0
        self._reader = None
        self.head = None
        self.answered = False

    def write(self, data: bytes) -> None:
        """Send request bytes; the answer is due from the last of them on."""
        if self._transport is not None:
            self._transport.write(data)
        if self._reader is None and not self._switched:
            self.deadline = self._deadlines.now + self._head_timeout_s

    def pause(self) -> None:
        """Stop reading: the client takes no more for now, and that is not the upstream's fault."""
        self._is_paused = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()
        self.deadline = inf

    def resume(self) -> None:
        """Read on."""
        self._read_on()
        self.deadline = self._deadlines.now + self._idle_timeout_s

    def _read_on(self) -> None:
        self._is_paused = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    @property
    def trailers(self) -> tuple[tuple[str, str], ...]:
        """The trailers of the complete response."""
        return self._reader.trailers if self._reader is not None else ()

    @property
    def reusable(self) -> bool:
        """Tell whether another request may follow the complete response."""
        return (
            self.head is not None
            and self.head.keeps_alive
            and self._transport is not None
            and not self._transport.is_closing()
        )

    def rest_until(self, deadline: float) -> None:
        """Wait in the pool for the next exchange."""
        self._taker = None
        if self._is_paused:
            # The client took the last piece too slowly. Whoever comes next must hear the answer,
            # and until then what nobody asked for, or the end, must be noticed.
            self._read_on()
        self.reused = True
        self.deadline = deadline

    def close(self) -> None:
        """Drop the connection at once. The exchange hears nothing more from it."""
        self._taker = None
        self.deadline = inf
        self._deadlines.forget(self)
        if self._transport is not None:
            self._transport.abort()

    def hang_up(self, timeout_s: float) -> None:
        """Close a tunnel once what was written is sent; what still comes is thrown away.

        Closing at once would reset the connection under an upstream that is sending, and the
        reset may overtake our last words.
        """
        self._taker = None
        self._hung_up = True
        self.deadline = self._deadlines.now + timeout_s
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.can_write_eof():
            transport.write_eof()
            transport.resume_reading()
        else:
            transport.close()

    def end_tunnel(self) -> None:
        """End our half of a tunnel, and wait a moment for the other."""
        transport = self._transport
        self._idle_timeout_s = self._limits.drain_timeout_s
        self.deadline = self._deadlines.now + self._idle_timeout_s
        if transport is not None and not transport.is_closing():
            if transport.can_write_eof():
                transport.write_eof()
            else:
                transport.close()

    # What the event loop does

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the interface without the base class.
        self._transport = cast(asyncio.Transport, transport)
        self._deadlines.watch(self)

    def data_received(self, data: bytes) -> None:
        taker = self._taker
        if self._hung_up:
            return
        if taker is None:
            # Nobody asked. Whatever it is, the next client must not get it.
            self._owner.forget(self)
            self.close()
            return
        try:
            if self._reader is not None:
                self._read_body(taker, self._reader, data)
            elif self._switched:
                self.deadline = self._deadlines.now + self._idle_timeout_s
                taker.tunnel_content(data)
            else:
                self._read_head(taker, data)
        except BadResponse as error:
            self._fail(bad_response(error.reason))
        except GrammarError as wrong:
            self._fail(bad_response(wrong.reason))

    def eof_received(self) -> bool:
        taker, reader = self._taker, self._reader
        if isinstance(reader, UntilCloseReader) and taker is not None and not reader.ended:
            reader.end_of_stream()
            taker.response_content(b"", ended=True)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadlines.forget(self)
        self._owner.forget(self)
        if self._taker is not None:
            self._fail(TLS_BROKEN if isinstance(exc, ssl.SSLError) else UPSTREAM_CLOSED)

    def pause_writing(self) -> None:
        if self._taker is not None:
            self._taker.upstream_blocked()

    def resume_writing(self) -> None:
        if self._taker is not None:
            self._taker.upstream_unblocked()

    def expired(self) -> None:
        if self._taker is None:
            self._owner.forget(self)
            self.close()
        else:
            self._fail(HEAD_TIMED_OUT if self._reader is None else UPSTREAM_IDLE)

    # Reading

    def _read_head(self, taker: ResponseTaker, data: bytes) -> None:
        self.answered = True
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        while True:
            end = data.find(b"\r\n\r\n")
            if (end if end >= 0 else len(data)) > self._max_head_bytes:
                raise BadResponse("head-too-large")
            if end < 0:
                self._buffer = data
                return
            head = self._owner.heads.read(
                data[:end], method=self._method, max_fields=self._max_fields
            )
            data = data[end + 4 :]
            if head.status >= 200:
                break
            if head.status == SWITCHING_PROTOCOLS:
                self._switch(taker, head, data)
                return
            self._interim += 1
            if self._interim > MAX_INTERIM:
                raise BadResponse("too-many-interim-responses")
            taker.interim_response(head)
        self._begin_body(taker, head, data)

    def _begin_body(self, taker: ResponseTaker, head: ResponseHead, data: bytes) -> None:
        self.head = head
        reader = response_body_reader(head.length)
        content = reader.read(data) if data else b""
        if reader.rest or (data and reader.ended and head.length == 0):
            raise BadResponse("bytes-after-response")
        self._reader = reader
        ended = reader.ended
        self._idle_timeout_s = self._response_timeout_s
        if not ended and (head.fields.first("content-type") or "").startswith(EVENT_STREAM):
            self._idle_timeout_s = self._limits.stream_idle_timeout_s
        self.deadline = self._deadlines.now + self._idle_timeout_s
        taker.response_head(head, content, ended=ended)

    def _read_body(self, taker: ResponseTaker, reader: BodyReader, data: bytes) -> None:
        self.deadline = self._deadlines.now + self._idle_timeout_s
        if reader.ended:
            raise BadResponse("bytes-after-response")
        content = reader.read(data)
        if reader.rest:
            raise BadResponse("bytes-after-response")
        if content or reader.ended:
            taker.response_content(content, ended=reader.ended)

    def _switch(self, taker: ResponseTaker, head: ResponseHead, data: bytes) -> None:
        if not self._upgrading:
            raise BadResponse("unasked-switch-of-protocols")
        self.head = head
        self._switched = True
        self._idle_timeout_s = self._limits.stream_idle_timeout_s
        self.deadline = self._deadlines.now + self._idle_timeout_s
        taker.switched_protocols(head, data)

    def _fail(self, failure: Refusal) -> None:
        taker = self._taker
        self._owner.forget(self)
        self.close()
        if taker is not None:
            taker.upstream_failed(failure)


TLS_BROKEN = Refusal(502, "upstream-tls-failed", UPSTREAM_CLOSED.error_code)


def response_body_reader(length: int) -> BodyReader:
    """Return the reader for a response head's `length`."""
    if length == CHUNKED:
        return ChunkedReader(max_trailers=MAX_TRAILERS, max_trailer_bytes=MAX_TRAILER_BYTES)
    return UntilCloseReader() if length == UNTIL_CLOSE else LengthReader(length)
