"""How many connections each worker has open, in memory that all workers see (security T-DO-3).

Every worker writes its own side and reads all others': no locks, and nothing to mend when one is
killed, because its side is wiped before its successor begins. Two workers may accept at the same
instant, so a bound can be exceeded by one connection for each worker, for as long as they last.

Addresses are too many to list. Each is counted in one cell of each of two rows, chosen by a keyed
hash that nobody outside can compute; the smaller cell is its count, or more where two addresses
share both cells, which happens once in a billion pairs.
"""

from __future__ import annotations

import hashlib
import mmap
import secrets
from typing import Final

CELL_BYTES: Final = 4
ROW_CELLS: Final = 32768
TOTAL: Final = 0
FIRST_ROW: Final = 1
SECOND_ROW: Final = FIRST_ROW + ROW_CELLS
SIDE_CELLS: Final = SECOND_ROW + ROW_CELLS


class SharedCounts:
    """The sides of all workers. To be made before they are forked."""

    def __init__(self, workers: int) -> None:
        """Make room for workers, numbered from 1."""
        self._workers = workers
        self._cells = memoryview(mmap.mmap(-1, workers * SIDE_CELLS * CELL_BYTES)).cast("I")
        self._key = secrets.token_bytes(16)

    def side(self, worker: int) -> CountsSide:
        """Return a worker's side, wiped: to be called in the worker, before it accepts."""
        self.wipe(worker)
        starts = [number * SIDE_CELLS for number in range(self._workers)]
        own = starts.pop(worker - 1)
        return CountsSide(self._cells, self._key, own=own, others=starts)

    def wipe(self, worker: int) -> None:
        """Forget the connections of a worker that is gone."""
        start = (worker - 1) * SIDE_CELLS
        self._cells[start : start + SIDE_CELLS] = memoryview(bytes(SIDE_CELLS * CELL_BYTES)).cast(
            "I"
        )


class CountsSide:
    """One worker's view: it tells the others of its own connections, and counts theirs."""

    def __init__(self, cells: memoryview, key: bytes, *, own: int, others: list[int]) -> None:
        self._cells = cells
        self._key = key
        self._own = own
        self._others = others

    def entered(self, address: str) -> None:
        """Count one more connection of this worker."""
        self._add(address, 1)

    def left(self, address: str) -> None:
        """Count one less."""
        self._add(address, -1)

    def others(self) -> int:
        """Return how many connections the other workers have."""
        return sum(self._cells[start + TOTAL] for start in self._others)

    def others_of(self, address: str) -> int:
        """Return how many of them come from an address."""
        return min(
            sum(self._cells[start + place] for start in self._others)
            for place in self._places(address)
        )

    def _add(self, address: str, amount: int) -> None:
        for place in (TOTAL, *self._places(address)):
            self._cells[self._own + place] += amount

    def _places(self, address: str) -> tuple[int, int]:
        digest = hashlib.blake2b(address.encode(), key=self._key, digest_size=4).digest()
        return (
            FIRST_ROW + int.from_bytes(digest[:2], "big") % ROW_CELLS,
            SECOND_ROW + int.from_bytes(digest[2:], "big") % ROW_CELLS,
        )
