"""Relays an open WebSocket: sound frames both ways, and an end that both sides understand.

A side that breaks the rules gets a Close that says so, and so does the other one (RFC 6455,
section 7.1.7). A Close of ours goes between two frames: a frame that is on its way is let
through to its end first. Everything about the end has one deadline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from proxy.deadlines import Deadlines, inf
from proxy.limits import Limits
from proxy.websocket_frames import FrameChecker, FrameViolation, close_frame

CLOSE_TIMED_OUT = "websocket-close-timeout"


class Side(Protocol):
    """One of the two connections."""

    def write(self, data: bytes) -> None: ...

    def hang_up(self, timeout_s: float) -> None:
        """Close once what was written is sent; what still comes is thrown away."""
        ...


class _Way:
    """One direction. `over`: nothing goes this way any more; `broken`: what comes is not frames."""

    __slots__ = ("broken", "fault_prefix", "frames", "is_to_upstream", "over", "write")

    def __init__(self, receiver: Side, limits: Limits, *, is_to_upstream: bool) -> None:
        self.write = receiver.write
        self.frames = FrameChecker(
            masked=is_to_upstream, max_message_bytes=limits.max_websocket_message_bytes
        )
        self.is_to_upstream = is_to_upstream
        self.fault_prefix = "" if is_to_upstream else "upstream-"
        self.broken = self.over = False

    def close(self, code: int) -> None:
        """Send a Close if one can be understood now; a sender that is broken gets no other turn."""
        if self.over:
            return
        if not self.frames.left:
            self.write(close_frame(code, masked=self.is_to_upstream))
            self.over = True
        elif self.broken:
            self.over = True


class WebSocketRelay:
    """The frames between a client and an upstream.

    `reason` tells why we ended it; None while it is open and when the two ended it themselves.
    The bytes are counted as they come, frames and all.
    """

    __slots__ = (
        "_client", "_code", "_deadlines", "_done", "_timeout_s", "_to_client", "_to_upstream",
        "_upstream", "bytes_from_client", "bytes_from_upstream", "deadline", "reason",
    )  # fmt: skip

    def __init__(
        self,
        client: Side,
        upstream: Side,
        *,
        limits: Limits,
        deadlines: Deadlines,
        done: Callable[[], None],
    ) -> None:
        """Relay from now on; `done` is called once, when both sides have been hung up on."""
        self._client = client
        self._upstream = upstream
        self._deadlines = deadlines
        self._timeout_s = limits.websocket_close_timeout_s
        self._done: Callable[[], None] | None = done
        self._to_upstream = _Way(upstream, limits, is_to_upstream=True)
        self._to_client = _Way(client, limits, is_to_upstream=False)
        self._code = 0
        self.bytes_from_client = self.bytes_from_upstream = 0
        self.deadline = inf
        self.reason: str | None = None

    def from_client(self, data: bytes) -> None:
        """Pass on what the client sent."""
        self.bytes_from_client += len(data)
        self._pass(self._to_upstream, data)

    def from_upstream(self, data: bytes) -> None:
        """Pass on what the upstream sent."""
        self.bytes_from_upstream += len(data)
        self._pass(self._to_client, data)

    def end(self, code: int, reason: str) -> None:
        """Close both sides with a status code (RFC 6455, section 7.4.1), between two frames."""
        if self.reason is None:
            self.reason = reason
            self._code = code
            self._to_client.close(code)
            self._to_upstream.close(code)
            self._ending()

    def client_ended(self) -> None:
        """Take note that the client will send nothing more; the upstream has a moment to end."""
        self._to_upstream.over = True
        self._ending()

    def side_gone(self) -> None:
        """Close the other side: there is nobody left to talk to."""
        self._conclude()

    def expired(self) -> None:
        """Wait no longer for a Close."""
        if self.reason is None:
            self.reason = CLOSE_TIMED_OUT
        self._conclude()

    def _pass(self, way: _Way, data: bytes) -> None:
        if way.over:
            return
        if self.reason is not None:
            self._finish_frame(way, data)
            return
        try:
            sound = way.frames.take(data)
        except FrameViolation as violation:
            way.broken = True
            if violation.sound:
                way.write(violation.sound)
            self.end(violation.code, way.fault_prefix + violation.reason)
            return
        if sound:
            way.write(sound)
        if way.frames.closed:
            way.over = True
            self._ending()

    def _finish_frame(self, way: _Way, data: bytes) -> None:
        """Let the frame that was begun come to its end, then close."""
        try:
            way.write(way.frames.take(data[: way.frames.left]))
        except FrameViolation:
            way.broken = True
        way.close(self._code)
        self._ending()

    def _ending(self) -> None:
        if self._to_client.over and self._to_upstream.over:
            self._conclude()
        elif self.deadline == inf and self._done is not None:
            self.deadline = self._deadlines.now + self._timeout_s
            self._deadlines.watch(self)

    def _conclude(self) -> None:
        done, self._done = self._done, None
        if done is None:
            return
        self._to_client.over = self._to_upstream.over = True
        self._deadlines.forget(self)
        self._upstream.hang_up(self._timeout_s)
        self._client.hang_up(self._timeout_s)
        done()
