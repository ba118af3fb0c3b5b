"""The SQLite file of a store: its tables, and what it says when it can't be used.

Every record's version is the row's number, which SQLite never gives twice: so versions are in the
order of writing, and the order of eviction needs no column of its own.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

from proxy.store import failures

SCHEMA_VERSION: Final = 1
# "Pens", so that no other program's file is taken for ours.
APPLICATION_ID: Final = 0x50656E73
MAGIC: Final = b"SQLite format 3\0"
HEADER_BYTES: Final = 100
# Longer than any write of ours takes; requests wait for it.
BUSY_TIMEOUT_MS: Final = 2000
# Reads happen between requests: they wait for nothing, and are done elsewhere if they have to.
READ_TIMEOUT_MS: Final = 0

SCHEMA: Final = """
CREATE TABLE records (
    version INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id BLOB NOT NULL,
    ends_at REAL NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (kind, id)
);
CREATE INDEX records_by_kind ON records (kind);
CREATE INDEX records_by_end ON records (ends_at);
CREATE TABLE groups (
    kind TEXT NOT NULL,
    name BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (kind, name, version)
) WITHOUT ROWID;
CREATE INDEX groups_by_version ON groups (version);
CREATE TABLE kinds (name TEXT PRIMARY KEY, entries INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER record_added AFTER INSERT ON records BEGIN
    INSERT INTO kinds VALUES (NEW.kind, 1) ON CONFLICT DO UPDATE SET entries = entries + 1;
END;
CREATE TRIGGER record_removed AFTER DELETE ON records BEGIN
    UPDATE kinds SET entries = entries - 1 WHERE name = OLD.kind;
    DELETE FROM groups WHERE version = OLD.version;
END;
"""

REASONS: Final = {
    sqlite3.SQLITE_BUSY: failures.LOCKED,
    sqlite3.SQLITE_LOCKED: failures.LOCKED,
    sqlite3.SQLITE_FULL: failures.FULL,
    sqlite3.SQLITE_CORRUPT: failures.CORRUPTED,
    sqlite3.SQLITE_NOTADB: failures.CORRUPTED,
    sqlite3.SQLITE_SCHEMA: failures.CORRUPTED,
    # A table is missing, or has other columns.
    sqlite3.SQLITE_ERROR: failures.CORRUPTED,
}
# What ends by itself, on the connection that we have.
PASSING: Final = frozenset({failures.LOCKED, failures.FULL})


class NewerStore(Exception):  # noqa: N818 - a state, not a fault
    """A newer version of this program has written the file."""


class UnusableFile(Exception):  # noqa: N818 - what was found, not what failed
    """A file that can't be a store."""

    def __init__(self, message: str, hint: str) -> None:
        self.hint = hint
        super().__init__(message)


def check_file(path: Path) -> None:
    """Look at a store's file without opening it. Raises UnusableFile.

    A file that is not there is fine; so is one that is damaged further on, which shows later.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEADER_BYTES)
    except FileNotFoundError:
        if path.parent.is_dir():
            return
        raise UnusableFile("there is no such folder", "make the folder") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UnusableFile(reason, "check its permissions") from None
    if not head:
        return
    # SQLite's file format, section 1.3.
    version, application = (int.from_bytes(head[at : at + 4], "big") for at in (60, 68))
    if not head.startswith(MAGIC) or application != APPLICATION_ID:
        raise UnusableFile("it is something else, no store", "name a file that does not exist yet")
    if version > SCHEMA_VERSION:
        raise UnusableFile(
            "a newer version of Penstock has written it",
            "use that version, or name another file: sessions start anew then",
        )


def open_for_writing(path: Path, *, is_durable: bool) -> sqlite3.Connection:
    """Open a store's file, making it if there is none, for its owner only.

    Not `is_durable` leaves it to the system when to write; what is lost with power is lost. Raises
    sqlite3.Error, OSError, and NewerStore.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    connection = _connect(path, BUSY_TIMEOUT_MS)
    try:
        # Full would wait for the disk at each write. Without, a loss of power may lose the last
        # writes, never the file.
        connection.execute(f"PRAGMA synchronous = {'NORMAL' if is_durable else 'OFF'}")
        _prepare(connection)
        connection.execute("PRAGMA journal_mode = WAL")
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a file that `open_for_writing` has opened. Raises sqlite3.Error."""
    connection = _connect(path, READ_TIMEOUT_MS)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connect(path: Path, timeout_ms: int) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=timeout_ms / 1000,
        check_same_thread=False,
    )


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the tables of a new file; several processes may try at once."""
    if _version(connection) == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    found = _version(connection)
    if found > SCHEMA_VERSION:
        connection.execute("ROLLBACK")
        raise NewerStore
    if not found:
        for statement in _statements():
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found


def _statements() -> list[str]:
    found: list[str] = []
    rest = ""
    for line in SCHEMA.splitlines(keepends=True):
        rest += line
        if sqlite3.complete_statement(rest):
            found.append(rest)
            rest = ""
    return found


def reason_of(error: Exception) -> str:
    """Return the stable code of what has gone wrong."""
    if isinstance(error, NewerStore):
        return failures.NEWER
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_IOERR)
    if code == sqlite3.SQLITE_IOERR_WRITE:
        # A quota, or a limit on the size of files: SQLite knows of full disks only.
        return failures.FULL
    # The lower byte says what, the others where.
    return REASONS.get(code & 0xFF, failures.UNREADABLE)


def detail_of(error: Exception) -> str:
    """Say it in the system's words; neither SQLite nor the system puts content into them."""
    if isinstance(error, NewerStore):
        return "schema"
    return getattr(error, "strerror", None) or str(error)
