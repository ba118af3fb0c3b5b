"""The body of a request on its way through: kept for as long as nobody takes it."""

from __future__ import annotations


class RequestBody:
    """What has come of one request's body.

    `received_bytes` counts everything that came, also what was taken since; `ended` tells that
    nothing more will come.
    """

    __slots__ = ("_kept", "_limit_bytes", "ended", "received_bytes")

    def __init__(self) -> None:
        self._kept: list[bytes] = []
        # How much an action that waits for the whole body is ready to take; None while none waits.
        self._limit_bytes: int | None = None
        self.ended = False
        self.received_bytes = 0

    def add(self, content: bytes, *, ended: bool) -> None:
        """Keep more of the body."""
        self.received_bytes += len(content)
        self.ended = ended
        if content:
            self._kept.append(content)

    def take(self) -> bytes:
        """Hand over what is kept."""
        content = b"".join(self._kept)
        self._kept.clear()
        return content

    @property
    def is_awaited(self) -> bool:
        """Tell whether an action waits for the whole body."""
        return self._limit_bytes is not None

    @property
    def is_enough(self) -> bool:
        """Tell whether an action that waits can have its answer."""
        return self.ended or self._is_too_long

    def await_whole(self, limit_bytes: int) -> None:
        """Keep the body for an action, up to some size."""
        self._limit_bytes = limit_bytes

    def whole(self) -> bytes | None:
        """Return the body that was waited for, None when it is too long; it stays kept."""
        is_too_long, self._limit_bytes = self._is_too_long, None
        if is_too_long:
            return None
        body = self.take()
        if body:
            self._kept.append(body)
        return body

    @property
    def _is_too_long(self) -> bool:
        return self._limit_bytes is not None and self.received_bytes > self._limit_bytes
