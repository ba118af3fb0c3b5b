"""Does at once only once what must not be done twice, for everybody who asks meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


class SingleFlight:
    """The work of one process that is going on, by name.

    It belongs to nobody who waits for it, so it goes on when they go away.
    """

    __slots__ = ("_going_on",)

    def __init__(self) -> None:
        self._going_on: dict[str, asyncio.Future[Any]] = {}

    def __len__(self) -> int:
        return len(self._going_on)

    def join(self, name: str, work: Callable[[], Awaitable[Any]]) -> asyncio.Future[Any]:
        """Wait for the work of that name; begin it unless it is going on.

        The future has what the work returns or raises; to cancel it ends the waiting only.
        """
        going_on = self._going_on.get(name)
        if going_on is None:
            going_on = self._going_on[name] = asyncio.ensure_future(work())
            going_on.add_done_callback(lambda _: self._going_on.pop(name))
        return asyncio.shield(going_on)

    async def close(self, timeout_s: float) -> None:
        """Let what is going on come to its end, but not for longer than that."""
        going_on = tuple(self._going_on.values())
        if going_on:
            _, late = await asyncio.wait(going_on, timeout=timeout_s)
            for each in late:
                each.cancel()
