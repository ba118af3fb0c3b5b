"""A connection to a Redis or Valkey server, in version 2 of its protocol.

Commands are sent as they come, without waiting for the answers to earlier ones, which the server
gives in order: one connection serves all requests of a process. A general client library costs ten
times the processor time of this.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final, TypeAlias, cast

# Beyond that it is no answer to anything that we ask.
MAX_REPLY_BYTES: Final = 64 * 1024 * 1024
MAX_DEPTH: Final = 4
CRLF: Final = b"\r\n"

Reply: TypeAlias = Any


class ServerError(Exception):
    """The server refuses a command. `word` is what its answer begins with: a stable code."""

    def __init__(self, text: bytes) -> None:
        word = text.partition(b" ")[0].decode("ascii", "replace")
        # Only the code: the rest may quote what was sent.
        self.word = word if word.isalnum() and word.isupper() else "ERR"
        super().__init__(self.word)


class Garbled(Exception):  # noqa: N818 - what was read, not what failed
    """What came is not the protocol."""


class Incomplete(Exception):  # noqa: N818 - not a failure
    """The rest of an answer has not arrived yet."""


class TooSlow(Exception):  # noqa: N818 - a state of the server
    """No answer in time."""


class RespConnection(asyncio.Protocol):
    """One open connection. When it breaks, everyone who waits is told the same."""

    def __init__(self, *, timeout_s: float) -> None:
        """Prepare; an answer that takes longer than `timeout_s` ends the connection."""
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        # With the time by which the answer must be there.
        self._waiting: deque[tuple[asyncio.Future[Reply], float]] = deque()
        self._watch: asyncio.TimerHandle | None = None
        self._broken: Exception | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether a command can be sent."""
        return self._transport is not None and self._broken is None

    def send(self, *parts: bytes) -> asyncio.Future[Reply]:
        """Send a command; the future has the answer, or raises why there is none.

        It is carried out whether or not anybody waits for it.
        """
        answer: asyncio.Future[Reply] = self._loop.create_future()
        if self._transport is None or self._broken is not None:
            answer.set_exception(self._broken or ConnectionError("not open"))
            return answer
        self._transport.write(command(parts))
        self._waiting.append((answer, self._loop.time() + self._timeout_s))
        if self._watch is None:
            self._watch = self._loop.call_later(self._timeout_s, self._look_at_clock)
        return answer

    def close(self) -> None:
        """Hang up."""
        self._break(ConnectionError("closed"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        # uvloop's transports have the interface without the base class.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Give out the answers that are complete now."""
        self._received += data
        at = 0
        try:
            while at < len(self._received):
                reply, at = parsed(self._received, at)
                self._give(reply)
        except Incomplete:
            if len(self._received) > MAX_REPLY_BYTES:
                self._break(Garbled("too long"))
        except Garbled as error:
            self._break(error)
        del self._received[:at]

    def connection_lost(self, error: Exception | None) -> None:
        """Tell everybody."""
        self._break(error or ConnectionError("closed by the server"))

    def _give(self, reply: Reply) -> None:
        if not self._waiting:
            raise Garbled("an answer that nobody asked for")
        answer, _ = self._waiting.popleft()
        if answer.done():
            return
        if isinstance(reply, ServerError):
            answer.set_exception(reply)
        else:
            answer.set_result(reply)

    def _look_at_clock(self) -> None:
        self._watch = None
        if not self._waiting:
            return
        end = self._waiting[0][1]
        if end <= self._loop.time():
            self._break(TooSlow())
        else:
            self._watch = self._loop.call_at(end, self._look_at_clock)

    def _break(self, error: Exception) -> None:
        if self._broken is not None:
            return
        self._broken = error
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.abort()
        for answer, _ in self._waiting:
            if not answer.done():
                answer.set_exception(error)
        self._waiting.clear()


def command(parts: tuple[bytes, ...]) -> bytes:
    """Write a command: an array of strings."""
    lines = [b"*%d" % len(parts)]
    for part in parts:
        lines += (b"$%d" % len(part), part)
    lines.append(b"")
    return CRLF.join(lines)


def parsed(data: bytearray, at: int, depth: int = 0) -> tuple[Reply, int]:
    """Read one answer; return it and where the next one begins.

    Raises Incomplete when more has to come first, Garbled when nothing can make it good. An error
    of the server is returned as ServerError.
    """
    end = data.find(CRLF, at)
    if end < 0:
        raise Incomplete
    kind, line, at = data[at : at + 1], bytes(data[at + 1 : end]), end + len(CRLF)
    match kind:
        case b"$":
            return _text(data, at, _number(line))
        case b":":
            return _number(line), at
        case b"+":
            return line, at
        case b"-":
            return ServerError(line), at
        case b"*":
            return _array(data, at, _number(line), depth)
        case _:
            raise Garbled("an answer of no known kind")


def _number(line: bytes) -> int:
    digits = line.removeprefix(b"-")
    if not digits.isdigit() or len(digits) > 19:
        raise Garbled("no number")
    return int(line)


def _text(data: bytearray, at: int, length: int) -> tuple[bytes | None, int]:
    if length < 0:
        return None, at
    if length > MAX_REPLY_BYTES:
        raise Garbled("too long")
    end = at + length
    if len(data) < end + len(CRLF):
        raise Incomplete
    if data[end : end + len(CRLF)] != CRLF:
        raise Garbled("a text of another length")
    return bytes(data[at:end]), end + len(CRLF)


def _array(data: bytearray, at: int, length: int, depth: int) -> tuple[list[Reply] | None, int]:
    if length < 0:
        return None, at
    if depth == MAX_DEPTH:
        raise Garbled("too deep")
    found: list[Reply] = []
    for _ in range(length):
        reply, at = parsed(data, at, depth + 1)
        found.append(reply)
    return found, at
