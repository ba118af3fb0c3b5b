"""What every store can do, wherever it keeps its records."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from policy.store import Kind, Record, StoreEffect
from proxy.store.failures import Failures


class KindCount(NamedTuple):
    """How many records of a kind there are, and how many had to go before their time."""

    kind: str
    entries: int
    evicted: int


class Store(Protocol):
    """Answers effects of the store."""

    def start(self) -> None:
        """Begin what needs time; called once, in the loop that asks."""
        ...

    def answer(self, effect: StoreEffect, /) -> Any:
        """Return the answer, or the future of it where it takes time.

        Only a fault of an encoder or decoder is raised; what can't be asked is StoreUnavailable.
        """
        ...

    def at_hand(self, kind: Kind[Any], key: str, /) -> Record[Any] | None:
        """Return a record that can be read at once; None says nothing of whether there is one."""
        ...

    def counts(self) -> tuple[KindCount, ...]:
        """Count records by kind."""
        ...

    @property
    def failures(self) -> Failures | None:
        """What has gone wrong; None for a store that can't fail."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let go of everything."""
        ...
