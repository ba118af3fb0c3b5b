"""The descriptor that completion events go to, shared by every worker, in whole lines.

A pipe takes only so many bytes of one process before those of another may come in between, and a
batch of lines is longer than that: so workers take turns. A line that was cut off (the disk was
full, its writer was killed) is ended before the next one begins; whoever writes next learns of it
from a byte of memory that all workers share.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import select
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

LINE_FEED = b"\n"


class EventStream:
    """Writes batches of lines to one file descriptor. To be made before workers are forked."""

    def __init__(self, descriptor: int, *, shared: bool = False) -> None:
        """Write to a descriptor; `shared` when other processes write to it through this object."""
        self._descriptor = descriptor
        # A lock of a file belongs to a process, and the system takes it back when that one dies.
        self._lock = tempfile.TemporaryFile() if shared else None  # noqa: SIM115 - kept for good
        self._torn = mmap.mmap(-1, 1)

    def write(self, lines: bytes) -> tuple[int, OSError | None]:
        """Write lines; return how many got there whole, and what kept the others from it.

        Blocks while the reader is slow.
        """
        with self._turn():
            if self._torn[0]:
                # The torn line is lost; the one behind it must not be lost with it.
                lines = LINE_FEED + lines
            first = len(lines)
            rest = memoryview(lines)
            error: OSError | None = None
            torn, self._torn[0] = self._torn[0], 1
            try:
                while rest:
                    rest = rest[self._write_some(rest) :]
            except OSError as failure:
                error = failure
            sent = lines[: first - len(rest)]
            self._torn[0] = 0 if sent.endswith(LINE_FEED) else 1 if sent else torn
            # The line feed that ended a torn line ends none of ours.
            return sent.count(LINE_FEED) - (1 if torn and sent else 0), error

    def _write_some(self, data: memoryview) -> int:
        while True:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:
                # Some other holder of the same terminal or pipe has made it non-blocking.
                select.select([], [self._descriptor], [])

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._lock is None:
            yield
            return
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)
