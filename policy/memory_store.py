"""A store in memory: what it was given it hands out again, until its time is up.

Every record has its place in three orders, so that nothing here looks at all records: by key, by
its last write, which is the order of eviction, and by its end.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, assert_never

from policy.store import (
    Kind,
    Record,
    StoreDelete,
    StoreEffect,
    StoreFind,
    StoreGet,
    StorePut,
    StoreTake,
)

# Ends of records that were written anew are dropped when there are more than twice as many.
SPARE_ENDS = 64


class _Kept(NamedTuple):
    record: Record[Any]
    ends_at: float
    groups: tuple[str, ...]


@dataclass(slots=True)
class Shelf:
    """All records of one kind, and how many had to go before their time."""

    kind: Kind[Any]
    evicted: int = 0
    _version: int = 0
    # Each in the order of the last write, the oldest first.
    _kept: dict[str, _Kept] = field(default_factory=dict)
    _groups: dict[str, dict[str, None]] = field(default_factory=dict)
    # With versions: a record that was written again has an end that no longer counts.
    _ends: list[tuple[float, int, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str, now: float) -> Record[Any] | None:
        """Return a record that has not ended."""
        kept = self._kept.get(key)
        return kept.record if kept is not None and now < kept.ends_at else None

    def put(self, effect: StorePut, now: float) -> int | None:
        """Write a record and return its version; None where another version stands there."""
        self._drop_ended(now)
        key = effect.key
        before = self._kept.get(key)
        if effect.if_version is not None:
            standing = 0 if before is None else before.record.version
            if standing != effect.if_version:
                return None
        if before is not None:
            self._remove(key, before)
        self._version += 1
        version = self._version
        ends_at = now + effect.ttl_s
        record = Record(key=key, value=effect.value, version=version)
        groups = tuple(dict.fromkeys(effect.groups))
        self._kept[key] = _Kept(record, ends_at, groups)
        heapq.heappush(self._ends, (ends_at, version, key))
        for group in groups:
            self._groups.setdefault(group, {})[key] = None
        self._make_room(groups)
        return version

    def remove(self, key: str, now: float) -> Record[Any] | None:
        """Remove a record and return it, unless it has ended."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        self._remove(key, kept)
        return kept.record if now < kept.ends_at else None

    def find(self, effect: StoreFind, now: float) -> tuple[Record[Any], ...]:
        """Return the records that were written last, or last before a version."""
        self._drop_ended(now)
        group, before = effect.group, effect.before
        keys = self._kept if group is None else self._groups.get(group, {})
        records = (self._kept[key].record for key in reversed(keys))
        if before is not None:
            records = (record for record in records if record.version < before)
        return tuple(islice(records, effect.limit))

    def _make_room(self, groups: tuple[str, ...]) -> None:
        most = self.kind.max_per_group
        if most is not None:
            for group in groups:
                while len(self._groups.get(group, ())) > most:
                    self._evict(next(iter(self._groups[group])))
        while len(self._kept) > self.kind.max_entries:
            self._evict(next(iter(self._kept)))

    def _evict(self, key: str) -> None:
        self._remove(key, self._kept[key])
        self.evicted += 1

    def _remove(self, key: str, kept: _Kept) -> None:
        del self._kept[key]
        for group in kept.groups:
            members = self._groups[group]
            del members[key]
            if not members:
                del self._groups[group]

    def _drop_ended(self, now: float) -> None:
        ends = self._ends
        while ends and ends[0][0] <= now:
            _, version, key = heapq.heappop(ends)
            kept = self._kept.get(key)
            if kept is not None and kept.record.version == version:
                self._remove(key, kept)
        if len(ends) > 2 * len(self._kept) + SPARE_ENDS:
            self._ends = [
                (kept.ends_at, kept.record.version, key) for key, kept in self._kept.items()
            ]
            heapq.heapify(self._ends)


class MemoryStore:
    """A store that is gone with the process."""

    def __init__(self, *, now: Callable[[], float]) -> None:
        """Prepare. `now` reads a clock in seconds that never goes back."""
        self._now = now
        self._shelves: dict[str, Shelf] = {}

    @property
    def shelves(self) -> tuple[Shelf, ...]:
        """Each kind that was written so far."""
        return tuple(self._shelves.values())

    def at_hand(self, kind: Kind[Any], key: str) -> Record[Any] | None:
        """Return a record without any effect."""
        shelf = self._shelves.get(kind.name)
        return None if shelf is None else shelf.get(key, self._now())

    def answer(self, effect: StoreEffect) -> Any:
        """Answer an effect of the store, at once."""
        now = self._now()
        shelf = self._shelves.get(effect.kind.name)
        if shelf is None:
            shelf = self._shelves[effect.kind.name] = Shelf(effect.kind)
        match effect:
            case StoreGet(key=key):
                return shelf.get(key, now)
            case StorePut():
                return shelf.put(effect, now)
            case StoreTake(key=key):
                return shelf.remove(key, now)
            case StoreDelete(key=key):
                return shelf.remove(key, now) is not None
            case StoreFind():
                return shelf.find(effect, now)
            case _:
                assert_never(effect)
