"""Which file a SQLite store is and its clock, for those who name one and don't open it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from proxy.store.sealed import Seal


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteFile:
    """The file of a store. `now` reads a clock that all processes with this file share."""

    path: Path
    seal: Seal
    now: Callable[[], float]
    is_durable: bool = True


class SteadyClock:
    """Seconds since the epoch that follow the machine's clock forward, never back (OA-21)."""

    __slots__ = ("_ahead_s",)

    def __init__(self) -> None:
        self._ahead_s = time.time() - time.monotonic()

    def __call__(self) -> float:
        passed = time.monotonic()
        self._ahead_s = max(self._ahead_s, time.time() - passed)
        return passed + self._ahead_s
