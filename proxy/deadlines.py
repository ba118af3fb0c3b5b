"""One coarse clock for all deadlines of all connections.

A timer per request would cost more than the request's parsing. Instead every connection keeps one
number, the time at which its peer will have been too slow, and one timer looks at all of them a
few times a second. Ten thousand connections take it well under a millisecond.
"""

from __future__ import annotations

import asyncio
import math
from typing import Final, Protocol

# The deadline of what may take forever.
inf: Final = math.inf
DEFAULT_TICK_S = 0.25


class Watched(Protocol):
    """Something with a deadline, in seconds of `Deadlines.now`; `inf` for none."""

    deadline: float

    def expired(self) -> None:
        """Act on the deadline. Called once per tick for as long as the deadline lies behind."""
        ...


class Deadlines:
    """Watches deadlines while there is anything to watch.

    `now` is the event loop's time as of the last tick, so a deadline is kept to within two ticks.
    """

    __slots__ = ("_loop", "_tick_s", "_timer", "_watched", "now")

    def __init__(self, *, tick_s: float = DEFAULT_TICK_S) -> None:
        self._tick_s = tick_s
        self._watched: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.now = 0.0

    def __len__(self) -> int:
        return len(self._watched)

    def watch(self, watched: Watched) -> None:
        """Begin to look at a deadline."""
        self._watched.add(watched)
        if self._timer is None:
            self._loop = asyncio.get_running_loop()
            self._tick()

    def forget(self, watched: Watched) -> None:
        """Look no more; a no-op for what is not watched."""
        self._watched.discard(watched)

    def _tick(self) -> None:
        loop = self._loop
        if loop is None or not self._watched:
            self._timer = None
            return
        self.now = now = loop.time()
        late = [watched for watched in self._watched if watched.deadline < now]
        self._timer = loop.call_later(self._tick_s, self._tick)
        for watched in late:
            watched.expired()
