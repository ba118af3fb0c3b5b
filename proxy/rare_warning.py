"""Tells the operator of something that may happen a thousand times a second, once a minute."""

from __future__ import annotations

import time
from collections.abc import Callable

PAUSE_S = 60.0


class RareWarning:
    """One warning that is said at once, then not again for a minute, then with how often it was."""

    __slots__ = ("_clock", "_count", "_next", "_say", "_what")

    def __init__(
        self, say: Callable[[str], None], what: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Prepare a warning; `what` is counted, as in `events lost: 3 (disk full)`."""
        self._say = say
        self._what = what
        self._clock = clock
        self._count = 0
        self._next = float("-inf")

    def note(self, count: int, why: str) -> bool:
        """Count what has happened, and say so when it is time; tell whether it was."""
        self._count += count
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + PAUSE_S
        noted, self._count = self._count, 0
        self._say(f"penstock: {self._what}: {noted} ({why})")
        return True
