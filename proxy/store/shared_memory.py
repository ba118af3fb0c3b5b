"""One store in memory for several processes: a file that no disk ever sees, and a key for it.

Workers are forked, so each would have a store of its own: somebody who logged in at one would be
unknown at the next. The supervisor makes a folder that only we can enter, in memory where the
system has such a place, and a key that only its processes have. The folder goes with the last of
them; one that was left behind by a process that was killed goes when the next one starts.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from proxy.store.sealed import KEY_BYTES, Seal
from proxy.store.sqlite_file import SqliteFile

IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
PREFIX: Final = "penstock-"
FILE: Final = "store.db"
# One that was made just now may not be locked yet.
YOUNG_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class SharedMemory:
    """The folder, a descriptor that keeps it locked, and one of a nameless file with the key.

    The descriptors are shared with every process that is forked: the folder is locked for as long
    as one of them lives.
    """

    folder: Path
    lock: int
    key: int

    @classmethod
    def make(cls) -> SharedMemory:
        """Make one. Raises OSError."""
        parent = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
        remove_abandoned(parent)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            key = os.dup(file.fileno())
        return cls(folder, lock, key)

    def file(self) -> SqliteFile:
        """Return what a process needs to open the store."""
        return SqliteFile(
            path=self.folder / FILE,
            seal=Seal([os.pread(self.key, KEY_BYTES, 0)]),
            # The same in all processes of a machine, and set by nobody.
            now=time.monotonic,
            is_durable=False,
        )

    def descriptors(self) -> tuple[int, int]:
        """Return what a process that takes over has to keep open."""
        return self.lock, self.key

    def remove(self) -> None:
        """Remove the folder, when no process needs it any more."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for each in self.descriptors():
            os.close(each)


def remove_abandoned(parent: Path) -> None:
    """Remove folders of ours that no process has locked."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            _remove_unless_locked(folder)


def _remove_unless_locked(folder: Path) -> None:
    """Remove a folder. Raises OSError where it is locked, or is none of ours."""
    lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_DIRECTORY)
    try:
        found = os.fstat(lock)
        # Anybody may make a folder of that name, and have something else removed with it.
        is_ours = found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) == stat.S_IRWXU
        if is_ours and time.time() - found.st_mtime > YOUNG_S:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
