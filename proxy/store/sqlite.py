"""The store in a SQLite file, which survives a restart and may be shared by processes.

Reads are done at once, in the loop: about ten microseconds, and in write-ahead mode they wait for
nobody. Writes, and reads that can't be done at once, go to the writer's thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from policy.store import (
    Kind,
    Record,
    StoreEffect,
    StoreFind,
    StoreGet,
    StorePut,
    StoreUnavailable,
)
from proxy.store import failures
from proxy.store.failures import Failures
from proxy.store.interface import KindCount
from proxy.store.sealed import RecentlyOpened
from proxy.store.sqlite_database import open_for_reading
from proxy.store.sqlite_file import SqliteFile
from proxy.store.sqlite_records import PutRow, Records
from proxy.store.sqlite_writer import SqliteWriter


class SqliteStore:
    """A store in a file. To be made in the process that uses it: no connection survives a fork."""

    def __init__(self, file: SqliteFile, *, say: Callable[[str], None]) -> None:
        """Prepare; the file is opened when it is needed first."""
        self._file = file
        self._failed = Failures(say)
        self._writer: SqliteWriter | None = None
        self._reading: sqlite3.Connection | None = None
        self._records: Records | None = None
        self._is_closed = False

    def answer(self, effect: StoreEffect) -> Any:
        """Answer an effect: a read at once if possible, a write as a future."""
        if self._records is not None:
            try:
                if isinstance(effect, StoreGet):
                    return self._records.get(effect.kind, effect.key, self._file.now())
                if isinstance(effect, StoreFind):
                    return self._records.answer(effect, self._file.now())
            except sqlite3.Error:
                # Whatever it is, the writer finds it too, and does what is to be done about it.
                self._stop_reading()
        if self._is_closed:
            return StoreUnavailable(reason=failures.STOPPED)
        writer = self._writer or self._start()
        if isinstance(effect, StorePut):
            return writer.submit(PutRow.of(effect, self._file.seal))
        return writer.submit(effect)

    def at_hand(self, kind: Kind[Any], key: str) -> Record[Any] | None:
        """Read a record, as long as reading is that quick."""
        if self._records is None:
            return None
        try:
            return self._records.get(kind, key, self._file.now())
        except sqlite3.Error:
            self._stop_reading()
            return None

    def start(self) -> None:
        """Open the file, in the background."""
        self._start()

    def _start(self) -> SqliteWriter:
        self._writer = SqliteWriter(self._file, self._failed, opened=self._read_anew)
        return self._writer

    def counts(self) -> tuple[KindCount, ...]:
        """Count records by kind, as of some seconds ago."""
        writer = self._writer
        if writer is None:
            return ()
        names = sorted({*writer.entries, *writer.evicted})
        return tuple(
            KindCount(name, writer.entries.get(name, 0), writer.evicted.get(name, 0))
            for name in names
        )

    @property
    def failures(self) -> Failures:
        """What has gone wrong."""
        return self._failed

    async def close(self) -> None:
        """Write what was begun, and close the file."""
        self._is_closed = True
        self._stop_reading()
        if self._writer is not None:
            await self._writer.close()

    def _read_anew(self) -> None:
        self._stop_reading()
        if self._is_closed:
            return
        with suppress(sqlite3.Error):
            self._reading = open_for_reading(self._file.path)
            self._records = Records(self._reading, RecentlyOpened(self._file.seal))

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.close()
        self._reading = self._records = None
