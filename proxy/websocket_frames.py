"""One direction of a WebSocket, checked frame by frame on its way through (RFC 6455, 5 and 7).

Payload is looked at and passed on, never kept. What is kept is at most one unfinished head or
control frame: so whatever was passed on ends inside a payload or between two frames, and
between two frames a Close of our own can follow.
"""

from __future__ import annotations

import secrets
from codecs import utf_8_decode

from proxy.websocket_mask import unmasked

# RFC 6455, section 7.4.1.
GOING_AWAY, PROTOCOL_ERROR, NOT_UTF_8, POLICY_VIOLATION, TOO_BIG = 1001, 1002, 1007, 1008, 1009

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
KNOWN = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})
FIN, RESERVED, OPCODE, MASK, LENGTH = 0x80, 0x70, 0x0F, 0x80, 0x7F
# All codes of control frames have this bit; so have the five that nobody has defined yet.
CONTROL = 0x8
MAX_CONTROL_PAYLOAD = 125
TWO_MORE, EIGHT_MORE = 126, 127

# Section 7.4.2: 1000 to 2999 are for the protocol, of which these are defined (1012 to 1014 by
# the registry of section 11.7); 1005, 1006 and 1015 are never sent; 3000 to 4999 are free.
PROTOCOL_CODES = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015)})
FREE_CODES = range(3000, 5000)

_INCOMPLETE = -1


class FrameViolation(Exception):  # noqa: N818 - named for what the sender did
    """What was sent is no WebSocket.

    `code` is the status to close with, `reason` the stable code for the log. `sound` is what may
    still be passed on of the data at hand: it ends before the offending frame.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.sound = b""


class FrameChecker:
    """Checks the frames of one sender.

    `left` is how much payload is still to come of the frame that was begun; at 0, what was
    passed on ends between two frames. `closed` tells that a Close has passed: section 1.4 has
    the receiver discard what comes after it.
    """

    __slots__ = (
        "_final", "_fragmented", "_head_bytes", "_held", "_key", "_masked", "_max_message_bytes",
        "_max_short_bytes", "_size", "_tail", "_text", "closed", "left",
    )  # fmt: skip

    def __init__(self, *, masked: bool, max_message_bytes: int) -> None:
        """Check a client (`masked`) or an upstream."""
        self._masked = MASK if masked else 0
        self._max_message_bytes = max_message_bytes
        # Of frames whose length needs no more than seven bits.
        self._max_short_bytes = min(max_message_bytes, TWO_MORE - 1)
        self._head_bytes = 6 if masked else 2
        self._held = b""
        self._fragmented = self._text = self._final = False
        # Bytes of the message so far, an unfinished character at the end of its text, the mask
        # turned so that it fits the next byte of payload.
        self._size = 0
        self._tail = b""
        self._key = b""
        self.left = 0
        self.closed = False

    def take(self, data: bytes) -> bytes:
        """Return what may be passed on now; raises FrameViolation, and is of no use after that."""
        if self.closed:
            return b""
        if not (self.left or self._held or self._fragmented) and self._is_one_short_message(data):
            return data
        if self._held:
            data, self._held = self._held + data, b""
        at, size = 0, len(data)
        if self.left:
            if size <= self.left and not self._text:
                self.left -= size
                return data
            at = min(self.left, size)
            self._payload(data, 0, at)
        while at < size:
            try:
                end = self._frame(data, at, size)
            except FrameViolation as violation:
                violation.sound = data[:at]
                self.left = 0
                raise
            if end == _INCOMPLETE:
                self._held = data[at:]
                return data[:at]
            if self.closed:
                return data[:end]
            at = end
        return data

    def _is_one_short_message(self, data: bytes) -> bool:
        """Tell whether this is what most reads bring: one whole message that needs no care."""
        length = len(data) - self._head_bytes
        if not 0 <= length <= self._max_short_bytes or data[1] != self._masked | length:
            return False
        if data[0] == FIN | BINARY:
            return True
        if data[0] != FIN | TEXT:
            return False
        payload: bytes | bytearray = data[self._head_bytes :]
        if self._masked:
            payload = unmasked(data[6:], data[2:6])
        try:
            payload.decode()
        except UnicodeDecodeError:
            return False
        return True

    def _frame(self, data: bytes, at: int, size: int) -> int:
        """Check what there is of the frame that begins at `at`; return where that ends."""
        if size - at < 2:
            return _INCOMPLETE
        first, second = data[at], data[at + 1]
        opcode = first & OPCODE
        if first & RESERVED or opcode not in KNOWN or second & MASK != self._masked:
            raise self._bad_head(first, opcode)
        length = second & LENGTH
        if opcode & CONTROL:
            # Section 5.5: "All control frames MUST have a payload length of 125 bytes or less and
            # MUST NOT be fragmented."
            if length > MAX_CONTROL_PAYLOAD or not first & FIN:
                raise FrameViolation(PROTOCOL_ERROR, "websocket-control-frame-malformed")
            return self._control(opcode, length, data, at + 2, size)
        # Section 5.4: the first fragment names the kind of message, all others continue it.
        if (opcode == CONTINUATION) is not self._fragmented:
            raise FrameViolation(PROTOCOL_ERROR, "websocket-fragments-out-of-order")
        start = at + 2
        if length >= TWO_MORE:
            start += 2 if length == TWO_MORE else 8
            if size < start:
                return _INCOMPLETE
            length = _long_length(data[at + 2 : start])
        sent = self._size + length if self._fragmented else length
        if sent > self._max_message_bytes:
            raise FrameViolation(TOO_BIG, "websocket-message-too-big")
        if self._masked:
            start += 4
            if size < start:
                return _INCOMPLETE
            self._key = data[start - 4 : start]
        if opcode != CONTINUATION:
            self._text = opcode == TEXT
        self._size = sent
        self._final = first & FIN != 0
        self._fragmented = not self._final
        self.left = length
        end = min(start + length, size)
        self._payload(data, start, end)
        return end

    def _bad_head(self, first: int, opcode: int) -> FrameViolation:
        # Section 5.2: RSV bits "MUST be 0 unless an extension is negotiated"; none ever is here.
        if first & RESERVED:
            return FrameViolation(PROTOCOL_ERROR, "websocket-reserved-bits")
        # "If an unknown opcode is received, the receiving endpoint MUST fail".
        if opcode not in KNOWN:
            return FrameViolation(PROTOCOL_ERROR, "websocket-opcode-unknown")
        # Section 5.1: a server MUST close upon a frame that is not masked, and a client upon one
        # that is. A client's payload that nothing masks could pose as HTTP on the way.
        named = "websocket-frame-not-masked" if self._masked else "websocket-frame-masked"
        return FrameViolation(PROTOCOL_ERROR, named)

    def _payload(self, data: bytes, start: int, end: int) -> None:
        """Go over payload that was announced."""
        left = self.left - (end - start)
        if self._text:
            self._check_text(data[start:end], ended=self._final and not left)
        self.left = left

    def _check_text(self, sent: bytes, *, ended: bool) -> None:
        payload: bytes | bytearray = sent
        if self._masked:
            key, turn = self._key, len(sent) & 3
            payload = unmasked(sent, key)
            self._key = key[turn:] + key[:turn]
        if not self._tail and payload.isascii():
            return
        # Section 8.1: text that is not UTF-8 fails the connection. As soon as that is certain:
        # a character may go over from one piece to the next, but only if it can become one.
        payload = self._tail + payload
        try:
            _, used = utf_8_decode(payload, "strict", ended)
        except UnicodeDecodeError:
            raise FrameViolation(NOT_UTF_8, "websocket-text-not-utf-8") from None
        self._tail = bytes(payload[used:])

    def _control(self, opcode: int, length: int, data: bytes, start: int, size: int) -> int:
        if self._masked:
            start += 4
        end = start + length
        if size < end:
            return _INCOMPLETE
        if opcode == CLOSE:
            payload: bytes | bytearray = data[start:end]
            if self._masked:
                payload = unmasked(data[start:end], data[start - 4 : start])
            _check_close(payload)
            self.closed = True
        return end


def _long_length(digits: bytes) -> int:
    length = int.from_bytes(digits, "big")
    # Section 5.2: "the most significant bit MUST be 0" and "the minimal number of bytes MUST be
    # used": a second way to write a length is a second way to read it.
    if length >> 63 or length <= (MAX_CONTROL_PAYLOAD if len(digits) == 2 else 0xFFFF):
        raise FrameViolation(PROTOCOL_ERROR, "websocket-length-malformed")
    return length


def _check_close(payload: bytes | bytearray) -> None:
    """Check a Close; raises FrameViolation. Section 5.5.1: nothing, or a code and a reason."""
    if not payload:
        return
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or (code not in PROTOCOL_CODES and code not in FREE_CODES):
        raise FrameViolation(PROTOCOL_ERROR, "websocket-close-code-invalid")
    try:
        utf_8_decode(payload[2:], "strict", True)
    except UnicodeDecodeError:
        raise FrameViolation(NOT_UTF_8, "websocket-close-reason-not-utf-8") from None


def close_frame(code: int, *, masked: bool) -> bytes:
    """Return a Close with a status code, `masked` for an upstream."""
    payload = code.to_bytes(2, "big")
    if not masked:
        return bytes((FIN | CLOSE, len(payload))) + payload
    key = secrets.token_bytes(4)
    return bytes((FIN | CLOSE, MASK | len(payload))) + key + bytes(unmasked(payload, key))
