"""Reads and writes records of a SQLite store, inside of a transaction that somebody else has."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, assert_never

from policy.store import (
    Kind,
    Record,
    StoreDelete,
    StoreFind,
    StoreGet,
    StorePut,
    StoreTake,
)
from proxy.store.sealed import Open, Seal, record_id

READ: Final = "SELECT version, sealed FROM records WHERE kind = ? AND id = ? AND ends_at > ?"
STANDING: Final = "SELECT version, sealed, ends_at FROM records WHERE kind = ? AND id = ?"
REMOVE: Final = "DELETE FROM records WHERE version = ?"
ADD: Final = "INSERT INTO records (kind, id, ends_at, sealed) VALUES (?, ?, ?, ?)"
ADD_TO_GROUP: Final = "INSERT OR IGNORE INTO groups VALUES (?, ?, ?)"
ENTRIES: Final = "SELECT entries FROM kinds WHERE name = ?"
ENTRIES_OF_ALL: Final = "SELECT name, entries FROM kinds"
MEMBERS: Final = "SELECT count(*) FROM groups WHERE kind = ? AND name = ?"
SWEEP: Final = (
    "DELETE FROM records WHERE version IN"
    " (SELECT version FROM records WHERE ends_at <= ? ORDER BY ends_at LIMIT ?)"
)
SWEEP_GROUP: Final = (
    "DELETE FROM records WHERE ends_at <= ? AND version IN"
    " (SELECT version FROM groups WHERE kind = ? AND name = ?)"
)
EVICT: Final = (
    "DELETE FROM records WHERE version IN"
    " (SELECT version FROM records WHERE kind = ? ORDER BY version LIMIT ?)"
)
EVICT_FROM_GROUP: Final = (
    "DELETE FROM records WHERE version IN"
    " (SELECT version FROM groups WHERE kind = ? AND name = ? ORDER BY version LIMIT ?)"
)
FIND: Final = (
    "SELECT id, sealed, version FROM records WHERE kind = ? AND version < ? AND ends_at > ?"
    " ORDER BY version DESC LIMIT ?"
)
FIND_IN_GROUP: Final = (
    "SELECT id, sealed, records.version FROM groups JOIN records USING (version)"
    " WHERE groups.kind = ? AND groups.name = ? AND groups.version < ? AND ends_at > ?"
    " ORDER BY groups.version DESC LIMIT ?"
)
# Above every version.
NEWEST: Final = 2**63 - 1
# Few enough that a write which comes meanwhile does not wait long.
SWEEP_BATCH: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PutRow:
    """A record to write, encoded and encrypted already."""

    kind: Kind[Any]
    id: bytes
    sealed: bytes
    ttl_s: float
    if_version: int | None
    groups: frozenset[bytes]

    @classmethod
    def of(cls, effect: StorePut, seal: Seal) -> PutRow:
        """Encode and encrypt what an effect asks to write."""
        name = effect.kind.name
        return cls(
            kind=effect.kind,
            id=record_id(name, effect.key),
            sealed=seal.seal(effect.kind, effect.key, effect.value),
            ttl_s=effect.ttl_s,
            if_version=effect.if_version,
            groups=frozenset(record_id(name, group) for group in effect.groups),
        )


# An effect of the store, in which what is to be written is encrypted already.
SqliteEffect: TypeAlias = StoreGet | StoreFind | StoreTake | StoreDelete | PutRow


class Records:
    """One connection's view of the records."""

    __slots__ = ("_connection", "_open", "evicted")

    def __init__(self, connection: sqlite3.Connection, open_: Open) -> None:
        """Take a connection, and what opens the records in it."""
        self._connection = connection
        self._open = open_
        self.evicted: dict[str, int] = {}

    def get(self, kind: Kind[Any], key: str, now: float) -> Record[Any] | None:
        """Return a record that has not ended."""
        id_ = record_id(kind.name, key)
        row = self._connection.execute(READ, (kind.name, id_, now)).fetchone()
        return None if row is None else self._open(kind, id_, row[1], row[0])

    def find(self, effect: StoreFind, now: float) -> tuple[Record[Any], ...]:
        """Return the records that were written last, without those that can't be read."""
        kind = effect.kind
        before = NEWEST if effect.before is None else effect.before
        which = (before, now, effect.limit)
        if effect.group is None:
            rows = self._connection.execute(FIND, (kind.name, *which))
        else:
            name = record_id(kind.name, effect.group)
            rows = self._connection.execute(FIND_IN_GROUP, (kind.name, name, *which))
        opened = (self._open(kind, *row) for row in rows.fetchall())
        return tuple(each for each in opened if each is not None)

    def put(self, row: PutRow, now: float) -> int | None:
        """Write a record and return its version; None where another version stands there."""
        name = row.kind.name
        found = self._connection.execute(STANDING, (name, row.id)).fetchone()
        if row.if_version is not None and row.if_version != self._standing(row, found, now):
            return None
        if found is not None:
            self._connection.execute(REMOVE, found[:1])
        added = self._connection.execute(ADD, (name, row.id, now + row.ttl_s, row.sealed))
        version = added.lastrowid
        self._connection.executemany(ADD_TO_GROUP, [(name, each, version) for each in row.groups])
        self._make_room(row, now)
        return version

    def remove(self, kind: Kind[Any], key: str, now: float) -> tuple[bool, Record[Any] | None]:
        """Remove a record; tell whether there was one, and what it was as far as we can read it."""
        id_ = record_id(kind.name, key)
        found = self._connection.execute(STANDING, (kind.name, id_)).fetchone()
        if found is None:
            return False, None
        version, sealed, ends_at = found
        self._connection.execute(REMOVE, (version,))
        if ends_at <= now:
            return False, None
        return True, self._open(kind, id_, sealed, version)

    def sweep(self, now: float) -> int:
        """Remove some of the records that have ended; return how many."""
        return self._connection.execute(SWEEP, (now, SWEEP_BATCH)).rowcount

    def entries(self) -> dict[str, int]:
        """Count the records of each kind, those that have ended and are not swept yet too."""
        return dict(self._connection.execute(ENTRIES_OF_ALL).fetchall())

    def answer(self, effect: SqliteEffect, now: float) -> Any:
        """Answer an effect."""
        match effect:
            case StoreGet(kind=kind, key=key):
                return self.get(kind, key, now)
            case StoreFind():
                return self.find(effect, now)
            case PutRow():
                return self.put(effect, now)
            case StoreTake(kind=kind, key=key):
                return self.remove(kind, key, now)[1]
            case StoreDelete(kind=kind, key=key):
                return self.remove(kind, key, now)[0]
            case _:
                assert_never(effect)

    def _standing(self, row: PutRow, found: tuple[int, bytes, float] | None, now: float) -> int:
        """Return the version that stands there for whoever reads it, 0 for none."""
        if found is None or found[2] <= now:
            return 0
        version, sealed, _ = found
        # Who reads it is told that there is none, and must be able to write one.
        return version if self._open(row.kind, row.id, sealed, version) else 0

    def _make_room(self, row: PutRow, now: float) -> None:
        kind = row.kind.name
        most = row.kind.max_per_group
        if most is not None:
            for group in row.groups:
                if self._count(MEMBERS, kind, group) > most:
                    self._connection.execute(SWEEP_GROUP, (now, kind, group))
                    excess = self._count(MEMBERS, kind, group) - most
                    self._evict(EVICT_FROM_GROUP, excess, kind, group)
        if self._count(ENTRIES, kind) > row.kind.max_entries:
            self.sweep(now)
            excess = self._count(ENTRIES, kind) - row.kind.max_entries
            self._evict(EVICT, excess, kind)

    def _count(self, query: str, *of: str | bytes) -> int:
        count: int = self._connection.execute(query, of).fetchone()[0]
        return count

    def _evict(self, statement: str, excess: int, kind: str, *group: bytes) -> None:
        # A negative limit would be none at all.
        if excess > 0:
            gone = self._connection.execute(statement, (kind, *group, excess)).rowcount
            self.evicted[kind] = self.evicted.get(kind, 0) + gone
