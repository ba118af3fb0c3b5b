"""The thread that writes to a SQLite file, many writes in one transaction.

It opens the file, opens it anew when it was damaged, replaced or lost, and removes what has ended.
Whatever goes wrong is an answer to those who wait, and is tried again for the next one.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from policy.store import StoreUnavailable
from proxy.store import failures
from proxy.store.failures import Failures
from proxy.store.sqlite_database import (
    PASSING,
    NewerStore,
    detail_of,
    open_for_writing,
    reason_of,
)
from proxy.store.sqlite_file import SqliteFile
from proxy.store.sqlite_records import SWEEP_BATCH, Records, SqliteEffect

# One transaction: enough to be quick, few enough that who is first does not wait for the last.
MAX_BATCH: Final = 256
# How often the file is looked at, whether or not somebody writes.
LOOK_S: Final = 2.0
SWEEP_S: Final = 10.0
# A disk that hangs keeps nobody from stopping.
CLOSE_S: Final = 5.0
# A file that can't be opened is tried again so often at most.
REOPEN_S: Final = 1.0

Waiting: TypeAlias = "asyncio.Future[Any]"


class Request(NamedTuple):
    """What to do, and who wants to know how it went."""

    effect: SqliteEffect
    answer: Waiting


class SqliteWriter:
    """Writes from one thread for one event loop."""

    def __init__(self, file: SqliteFile, failed: Failures, *, opened: Callable[[], None]) -> None:
        """Begin; `opened` is called in the running loop whenever the file was opened anew."""
        self._file = file
        self._failed = failed
        self._opened = opened
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._records: Records | None = None
        self._inode = 0
        self._open_at = 0.0
        self._sweep_at = 0.0
        self._trouble = StoreUnavailable(reason=failures.NOT_OPEN)
        self.entries: dict[str, int] = {}
        self.evicted: dict[str, int] = {}
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    def submit(self, effect: SqliteEffect) -> Waiting:
        """Have an effect answered; it is carried out whether or not anybody waits for it."""
        answer: Waiting = self._loop.create_future()
        self._queue.put(Request(effect, answer))
        return answer

    async def close(self) -> None:
        """Write what was submitted, and close the file."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join, CLOSE_S)

    # In the thread

    def _run(self) -> None:
        last = False
        while not last:
            batch, last = self._next_batch()
            self._keep_open()
            if batch:
                self._deliver(batch, self._answers(batch))
            self._tidy()
        self._close()

    def _next_batch(self) -> tuple[list[Request], bool]:
        """Take what is there, after waiting for something; tell whether nothing comes after it."""
        batch: list[Request] = []
        try:
            request = self._queue.get(timeout=LOOK_S)
            while request is not None:
                batch.append(request)
                if len(batch) == MAX_BATCH:
                    return batch, False
                request = self._queue.get_nowait()
        except queue.Empty:
            return batch, False
        return batch, True

    def _keep_open(self) -> None:
        """Open the file, also when another one stands in its place."""
        if self._connection is not None and self._inode == _inode(self._file.path):
            return
        self._close()
        now = time.monotonic()
        if now < self._open_at:
            return
        self._open_at = now + REOPEN_S
        try:
            self._connection = open_for_writing(self._file.path, is_durable=self._file.is_durable)
        except (sqlite3.Error, OSError, NewerStore) as error:
            self._note(error)
            return
        self._inode = _inode(self._file.path)
        self._records = Records(self._connection, self._file.seal.opened)
        self._records.evicted = self.evicted
        self._call(self._opened)

    def _answers(self, batch: list[Request]) -> list[Any]:
        """Carry out a batch: all of it or nothing, but for what is a fault of our own."""
        while True:
            try:
                return self._transaction(batch)
            except (sqlite3.Error, OSError) as error:
                self._note(error, len(batch))
                return [self._trouble] * len(batch)
            except _Broken as broken:
                self._rollback()
                self._deliver([broken.request], [broken.error])
                batch.remove(broken.request)

    def _transaction(self, batch: list[Request]) -> list[Any]:
        if self._connection is None or self._records is None:
            self._failed.again(len(batch))
            return [self._trouble] * len(batch)
        self._connection.execute("BEGIN IMMEDIATE")
        now = self._file.now()
        answers: list[Any] = []
        for request in batch:
            try:
                answers.append(self._records.answer(request.effect, now))
            except sqlite3.Error:
                raise
            except Exception as error:
                raise _Broken(request, error) from error
        self._connection.execute("COMMIT")
        self._failed.succeeded()
        return answers

    def _note(self, error: Exception, requests: int = 1) -> None:
        reason = reason_of(error)
        self._trouble = self._failed.failed(reason, detail_of(error), requests)
        self._rollback()
        if reason not in PASSING:
            self._close()

    def _rollback(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    def _tidy(self) -> None:
        """Remove what has ended, a little at a time, and count what there is."""
        now = time.monotonic()
        if now < self._sweep_at or self._connection is None or self._records is None:
            return
        try:
            gone = self._records.sweep(self._file.now())
            self.entries = self._records.entries()
            self._failed.succeeded()
        except sqlite3.Error as error:
            self._note(error)
            gone = 0
        self._sweep_at = now if gone == SWEEP_BATCH else now + SWEEP_S

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = self._records = None

    def _deliver(self, batch: list[Request], answers: list[Any]) -> None:
        self._call(_answer_all, tuple(request.answer for request in batch), answers)

    def _call(self, callback: Callable[..., None], *arguments: object) -> None:
        # A loop that is closed has nobody left who waits.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *arguments)


class _Broken(Exception):  # noqa: N818 - carries an error, is none
    """A fault of ours in one request of a batch."""

    def __init__(self, request: Request, error: Exception) -> None:
        self.request = request
        self.error = error
        super().__init__()


def _answer_all(waiting: tuple[Waiting, ...], answers: list[Any]) -> None:
    for future, answer in zip(waiting, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0
