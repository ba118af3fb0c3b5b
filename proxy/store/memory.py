"""The store of a single process, gone when it ends."""

from __future__ import annotations

import time

from policy.memory_store import MemoryStore
from proxy.store.interface import KindCount


class ProcessMemory(MemoryStore):
    """A store in this process's memory, by a clock that nobody sets."""

    def __init__(self) -> None:
        """Prepare an empty store."""
        super().__init__(now=time.monotonic)

    def start(self) -> None:
        """Do nothing: it is ready."""

    def counts(self) -> tuple[KindCount, ...]:
        """Count records by kind."""
        return tuple(KindCount(each.kind.name, len(each), each.evicted) for each in self.shelves)

    @property
    def failures(self) -> None:
        """Fail never."""

    async def close(self) -> None:
        """Do nothing: there is nothing to let go of."""
