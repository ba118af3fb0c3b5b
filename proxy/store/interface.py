"""What every store can do, wherever it keeps its records."""

from __future__ import annotations

from typing import Any, Protocol

from policy.store import StoreEffect


class Store(Protocol):
    """Answers effects of the store."""

    def answer(self, effect: StoreEffect, /) -> Any:
        """Return the answer, or the future of it where it takes time. Never raises."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let go of everything."""
        ...
