"""The store of a single process, gone when it ends."""

from __future__ import annotations

import time

from policy.memory_store import MemoryStore


class ProcessMemory(MemoryStore):
    """A store in this process's memory, by a clock that nobody sets."""

    def __init__(self) -> None:
        """Prepare an empty store."""
        super().__init__(now=time.monotonic)

    async def close(self) -> None:
        """Do nothing: there is nothing to let go of."""
