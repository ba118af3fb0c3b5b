"""One client connection: bytes into requests, one exchange at a time, and bytes back.

    FIRST_BYTE -> HEAD -> EXCHANGE -> IDLE -> HEAD -> ...
                              |-> DRAIN -> IDLE        the answer came before the body's end
                              |-> TUNNEL               after a switch of protocols
    any state -> LINGER -> closed

While an exchange is in progress, at most one read's worth of later requests is held, and the
socket is not read any further (T-SM-13).
"""

from __future__ import annotations

import asyncio
from enum import IntEnum, auto
from typing import Final, cast

from policy.exchange import Connection
from proxy.deadlines import inf
from proxy.exchange_driver import ExchangeDriver
from proxy.http1.body import ChunkedReader, LengthReader, request_body_reader
from proxy.http1.grammar import GrammarError
from proxy.http1.request_head import BadRequest, RequestHeads
from proxy.limits import Limits
from proxy.message import render_refusal
from proxy.reception import ConnectionRefused, Reception, plain_connection
from proxy.refusal import REQUEST_TIMED_OUT, Refusal, bad_request
from proxy.service import Listener, Service

MAX_TRAILER_BYTES: Final = 8192
LINGER_S: Final = 2.0
STOP_FIRST_BYTE_S: Final = 1.0
MAX_METHOD_BYTES: Final = 64
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
CRLF: Final = b"\r\n"


class State(IntEnum):
    """What the connection is doing; the module's docstring shows the ways between states."""

    FIRST_BYTE = auto()
    HEAD = auto()
    EXCHANGE = auto()
    IDLE = auto()
    DRAIN = auto()
    TUNNEL = auto()
    LINGER = auto()


# Names of their own: looking a member up in its class is slow, and every request does so often.
FIRST_BYTE: Final = State.FIRST_BYTE
HEAD: Final = State.HEAD
EXCHANGE: Final = State.EXCHANGE
IDLE: Final = State.IDLE
DRAIN: Final = State.DRAIN
TUNNEL: Final = State.TUNNEL
LINGER: Final = State.LINGER


class DownstreamProtocol(asyncio.Protocol):
    """The client's side of its exchanges."""

    __slots__ = (
        "_advancing", "_awaits_continue", "_buffer", "_client_blocked", "_connection",
        "_deadlines", "_discarded", "_driver", "_heads", "_held", "_keep_alive_timeout_s", "_last",
        "_limits", "_listener", "_max_head_bytes", "_reader", "_reception", "_service", "_state",
        "_transport", "_upstream_blocked", "_welcomed", "deadline",
    )  # fmt: skip

    def __init__(
        self, service: Service, listener: Listener, reception: Reception | None = None
    ) -> None:
        """Serve one connection.

        `reception` is given where the listener knows more than the socket tells, as with the
        PROXY protocol, and has welcomed the connection already.
        """
        self._service = service
        self._listener = listener
        self._welcomed = reception is not None
        if reception is not None:
            self._reception = reception
        self._observe(service.runtime.limits)
        self._deadlines = service.deadlines
        self._state = FIRST_BYTE
        self._driver: ExchangeDriver | None = None
        self._reader: LengthReader | ChunkedReader | None = None
        self._heads = RequestHeads(service.field_lines)
        self._buffer = bytearray()
        self._held = b""
        self._discarded = 0
        self._advancing = False
        self._awaits_continue = False
        self._last = False
        self._upstream_blocked = False
        self._client_blocked = False
        self.deadline = inf

    # What the event loop does

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the interface without the base class.
        self._transport = cast(asyncio.Transport, transport)
        self._deadlines.watch(self)
        self.deadline = self._deadlines.now + self._limits.first_byte_timeout_s
        if self._welcomed:
            self._connection = self._reception.connection
            return
        self._connection = plain_connection(transport, self._service)
        self._reception = Reception(self._service, self._listener, self._connection)
        try:
            self._reception.welcome()
        except ConnectionRefused:
            self.abort()

    def data_received(self, data: bytes) -> None:
        self._connection.bytes_in += len(data)
        reader = self._reader
        if self._is_between_requests:
            self._advance(data)
        elif self._state is LINGER:
            self._discard(data)
        elif reader is not None and not reader.ended:
            self._read_body(reader, data)
        elif self._state is TUNNEL:
            if self._driver is not None:
                self._driver.tunnel_from_client(data)
        else:
            self._hold(data)

    def eof_received(self) -> bool:
        can_half_close = self._transport.can_write_eof()
        if self._state is TUNNEL and self._driver is not None:
            self._driver.client_ended()
            return can_half_close
        if self._state is EXCHANGE and (self._reader is None or self._reader.ended):
            # It may have gone, or only have nothing more to say: it gets a moment.
            self._last = True
            self.deadline = self._deadlines.now + self._limits.half_close_timeout_s
            return can_half_close
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why is no matter
        self._deadlines.forget(self)
        self._state = LINGER
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.client_gone()

    def pause_writing(self) -> None:
        self._client_blocked = True
        # A reader that takes nothing for this long is gone, or holds us up on purpose.
        self.deadline = self._deadlines.now + self._limits.body_idle_timeout_s
        if self._driver is not None:
            self._driver.client_blocked()

    def resume_writing(self) -> None:
        self._client_blocked = False
        if self._driver is not None:
            # Of a body that is still due, unless it is the upstream that does not take it.
            is_due = self._reader is not None and not self._reader.ended
            self.deadline = (
                self._deadlines.now + self._limits.body_idle_timeout_s
                if is_due and not self._upstream_blocked
                else inf
            )
            self._driver.client_unblocked()
        elif self._state is IDLE:
            self._next()

    def expired(self) -> None:
        state = self._state
        driver = self._driver
        if state is HEAD:
            self._refuse(REQUEST_TIMED_OUT)
        elif state is EXCHANGE and driver is not None:
            if self._last and driver.responding:
                self.deadline = inf
            elif self._reader is not None and not self._reader.ended:
                driver.client_failed(REQUEST_TIMED_OUT)
            else:
                self._transport.abort()
        elif state is DRAIN:
            self._linger()
        elif state is IDLE:
            self._transport.close()
        else:
            self._transport.abort()

    # What the exchange does

    @property
    def keeps_alive(self) -> bool:
        """Tell whether the service and the client's side allow another request after this."""
        return not (self._last or self._service.stopping)

    @property
    def connection(self) -> Connection:
        """The connection as it was accepted, whatever a trusted proxy says about its client."""
        return self._connection

    @property
    def trailers(self) -> tuple[tuple[str, str], ...]:
        """The trailers of the complete request."""
        return self._reader.trailers if self._reader is not None else ()

    def write(self, data: bytes) -> None:
        """Send response bytes."""
        self._connection.bytes_out += len(data)
        self._transport.write(data)

    def want_content(self) -> None:
        """Tell a client that waits with its body to send it (RFC 9110, section 10.1.1)."""
        if self._awaits_continue:
            self._awaits_continue = False
            if self._reader is not None and not self._reader.ended:
                self.write(CONTINUE)

    def pause(self) -> None:
        """Stop reading the request's body: the upstream takes no more for now."""
        self._upstream_blocked = True
        self._transport.pause_reading()
        self.deadline = inf

    def resume(self) -> None:
        """Read the body on."""
        if self._upstream_blocked:
            self._upstream_blocked = False
            if not self._held:
                self._transport.resume_reading()
            if self._reader is not None and not self._reader.ended:
                self.deadline = self._deadlines.now + self._limits.body_idle_timeout_s

    def switch(self) -> None:
        """Become one end of a tunnel; bytes that came early go through it first."""
        self._state = TUNNEL
        held, self._held = self._held, b""
        if held:
            self._transport.resume_reading()
            if self._driver is not None:
                self._driver.tunnel_from_client(held)

    def hang_up(self, timeout_s: float) -> None:
        """Close a tunnel once what was written is sent; what still comes is thrown away."""
        self._driver = None
        self._state = LINGER
        if not self._transport.is_closing():
            self.resume()
            self._linger()
        self.deadline = self._deadlines.now + timeout_s

    def done(self, *, keeps_alive: bool) -> None:
        """Go on after a complete response."""
        self._driver = None
        self.resume()
        if self._transport.is_closing():
            return
        unread = self._reader is not None and not self._reader.ended
        if not keeps_alive or not self.keeps_alive:
            self._linger() if unread else self._transport.close()
        elif unread and self._awaits_continue:
            # Whether the body is still coming can't be known: only closing ends the doubt.
            self._linger()
        elif unread:
            self._state = DRAIN
            self._discarded = 0
            self.deadline = self._deadlines.now + self._limits.drain_timeout_s
        else:
            self._next()

    def abort(self) -> None:
        """Break the connection, so that a client sees that the response is not complete."""
        self._driver = None
        self._state = LINGER
        self._transport.abort()

    # What the server does

    def stop(self) -> None:
        """Close at once between requests; else after the response that is being made."""
        if self._state is FIRST_BYTE:
            # Clients ask again when a kept connection closes, but not when a new one does: what
            # this one has come to ask may be on its way.
            self.deadline = min(self.deadline, self._deadlines.now + STOP_FIRST_BYTE_S)
        elif self._is_between_requests and not self._buffer:
            self._transport.close()

    # Reading

    @property
    def _is_between_requests(self) -> bool:
        state = self._state
        return state is IDLE or state is FIRST_BYTE or state is HEAD

    def _observe(self, limits: Limits) -> None:
        """Keep to limits from now on; those that every request needs are at hand."""
        self._limits = limits
        self._max_head_bytes = limits.max_head_bytes
        self._keep_alive_timeout_s = limits.keep_alive_timeout_s

    def _advance(self, data: bytes) -> None:
        """Start one request after another from the bytes at hand."""
        self._advancing = True
        while data and self._is_between_requests and not self._client_blocked:
            data = self._start_request(data)
        self._advancing = False
        if data and self._state is not LINGER:
            self._hold(data)

    def _hold(self, data: bytes) -> None:
        self._held += data
        self._transport.pause_reading()

    def _next(self) -> None:
        self._state = IDLE
        self._reader = None
        self.deadline = self._deadlines.now + self._keep_alive_timeout_s
        # A client that asks and asks without reading its answers waits until it has read them.
        if self._held and not self._advancing and not self._client_blocked:
            held, self._held = self._held, b""
            self._transport.resume_reading()
            self._advance(held)

    def _start_request(self, data: bytes) -> bytes:
        """Begin with the next request; returns the bytes behind it."""
        if self._buffer:
            self._buffer += data
            data = bytes(self._buffer)
        elif data.startswith(CRLF):
            # RFC 9112, section 2.2: one empty line before a request is some clients' habit.
            data = data[2:]
        end = data.find(b"\r\n\r\n")
        limits = self._service.runtime.limits
        if limits is not self._limits:
            self._observe(limits)
        try:
            if end < 0 or end > self._max_head_bytes:
                self._check_unfinished(data, limits)
                self._wait_for_head(data)
                return b""
            head = self._heads.read(data[:end], limits)
            content, rest = self._first_content(head.length, data[end + 4 :], limits)
        except BadRequest as error:
            self._refuse(bad_request(error.status, error.reason))
            return b""
        except GrammarError as wrong:
            self._refuse(bad_request(400, wrong.reason))
            return b""
        if self._buffer:
            self._buffer = bytearray()
        self._awaits_continue = head.expects_continue
        self._state = EXCHANGE
        ended = self._reader is None or self._reader.ended
        self.deadline = inf if ended else self._deadlines.now + limits.body_idle_timeout_s
        try:
            driver = self._reception.receive(head, self)
        except ConnectionRefused:
            self.abort()
            return b""
        if not isinstance(driver, ExchangeDriver):
            self._refuse(driver)
            return b""
        self._driver = driver
        driver.start(content, ended=ended)
        return rest

    def _first_content(self, length: int, data: bytes, limits: Limits) -> tuple[bytes, bytes]:
        if length == 0:
            self._reader = None
            return b"", data
        reader = self._reader = request_body_reader(
            length, max_trailers=limits.max_fields, max_trailer_bytes=MAX_TRAILER_BYTES
        )
        content = reader.read(data) if data else b""
        return content, reader.rest

    def _check_unfinished(self, data: bytes, limits: Limits) -> None:
        """Refuse early what can't become a request any more; raises BadRequest."""
        if data.find(CRLF, 0, limits.max_request_line_bytes + 2) < 0:
            if len(data) > MAX_METHOD_BYTES and b" " not in data[:MAX_METHOD_BYTES]:
                raise BadRequest(400, "bad-method")
            if len(data) > limits.max_request_line_bytes:
                raise BadRequest(414, "request-line-too-long")
        if len(data) > limits.max_head_bytes:
            raise BadRequest(431, "head-too-large")
        if data[:1] != b"\r" and not data[:1].isalpha():
            raise BadRequest(400, "bad-request-line")
        if data.startswith(CRLF):
            raise BadRequest(400, "empty-lines-before-request")
        if data.count(b"\n") != data.count(CRLF):
            raise BadRequest(400, "control-character-in-head")

    def _wait_for_head(self, data: bytes) -> None:
        if not self._buffer:
            self._buffer += data
        if self._state is not HEAD and self._buffer:
            # From its first byte on the head has one deadline, which no further byte moves.
            self._state = HEAD
            self.deadline = self._deadlines.now + self._limits.head_timeout_s

    def _read_body(self, reader: LengthReader | ChunkedReader, data: bytes) -> None:
        try:
            content = reader.read(data)
        except GrammarError as wrong:
            self._body_failed(bad_request(400, wrong.reason))
            return
        if reader.rest:
            self._hold(reader.rest)
        if self._state is DRAIN:
            self._drain(reader, content)
        elif self._driver is not None:
            self.deadline = inf if reader.ended else self._body_deadline(len(data))
            self._awaits_continue = False
            if content or reader.ended:
                self._driver.request_content(content, ended=reader.ended)

    def _body_deadline(self, size: int) -> float:
        # A leaky bucket: what arrives buys time, and never more than a whole timeout of it. So
        # who sends a byte now and then falls behind, however well each gap is timed (T-DO-2).
        latest = self._deadlines.now + self._limits.body_idle_timeout_s
        rate = self._limits.min_body_bytes_per_s
        return min(self.deadline + size / rate, latest) if rate else latest

    def _body_failed(self, refusal: Refusal) -> None:
        if self._driver is not None:
            self._driver.client_failed(refusal)
        else:
            self._linger()

    def _drain(self, reader: LengthReader | ChunkedReader, content: bytes) -> None:
        self._discarded += len(content)
        if reader.ended:
            self._next()
        elif self._discarded > self._limits.max_drained_body_bytes:
            self._linger()

    # Ending

    def _refuse(self, refusal: Refusal) -> None:
        """Answer what never became an exchange, and close."""
        self._reception.refused(refusal)
        self.write(render_refusal(refusal, self._service.date()))
        self._linger()

    def _linger(self) -> None:
        """Close so that the client can still read what we wrote.

        Closing with unread bytes in the socket resets the connection, and the reset may overtake
        our answer (RFC 9112, section 9.6). So our half ends first, and what comes is thrown away.
        """
        self._state = LINGER
        self._held = b""
        self._discarded = 0
        self.deadline = self._deadlines.now + LINGER_S
        if self._transport.is_closing():
            return
        if not self._transport.can_write_eof():
            self._transport.close()
            return
        self._transport.write_eof()
        self._transport.resume_reading()

    def _discard(self, data: bytes) -> None:
        self._discarded += len(data)
        if self._discarded > self._limits.max_drained_body_bytes:
            self._transport.abort()
