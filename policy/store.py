"""What actions keep from one request to the next, wherever the operator keeps it.

A store holds records of several kinds. Actions see values; a store in a file or on a server
encodes them, encrypts what it has encoded, and gives back what it can read and trust. Every
record ends by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar

T = TypeVar("T")

# If the record is as absent as it was when we looked.
ABSENT: Final = 0


class BadRecord(ValueError):  # noqa: N818 - what was read, not what failed
    """Bytes that are no record of this kind, or of a version that we don't know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[T]):
    """One sort of record. `name` is unique in the whole program, and part of what is stored.

    Values are immutable: a store in memory hands out the very object that it was given. `encode`
    writes one for a file or a server, `decode` reads it, raising BadRecord for what it does not
    know. Beyond `max_entries` the oldest goes first; beyond `max_per_group` the oldest of that
    group (security P6).
    """

    name: str
    encode: Callable[[T], bytes]
    decode: Callable[[bytes], T]
    max_entries: int
    max_per_group: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Generic[T]):
    """A value in the store.

    Versions are above 0 and grow with every write, past the end of a record too: whoever comes
    back with an old one never writes over a record that others have made since.
    """

    key: str
    value: T
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreUnavailable:
    """The store can't be asked now; `reason` is a stable code for the log. Refuse (P1)."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreGet:
    """Read a record; answered with Record, None where there is none, or StoreUnavailable."""

    kind: Kind[Any]
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePut:
    """Write a record that ends after `ttl_s` seconds.

    With `if_version` only over just that version, or with ABSENT only where there is none.
    Answered with the new version, None where another one stands there, or StoreUnavailable.
    `groups` are what the record can be found by, in place of those it had.
    """

    kind: Kind[Any]
    key: str
    value: Any
    ttl_s: float
    if_version: int | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreTake:
    """Read and remove a record in one step, so that nobody else gets it (P12).

    Answered like StoreGet. Streams that were let in on it end, as with StoreDelete.
    """

    kind: Kind[Any]
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreDelete:
    """Remove a record; answered with whether there was one, or StoreUnavailable.

    Streams that were let in on it end (T-WS-4).
    """

    kind: Kind[Any]
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFind:
    """Look for records of a group, or of the whole kind without one, newest first.

    With `before` only those of lower versions: the last one of a page leads to the next page.
    Answered with a tuple of at most `limit` records, fewer also where some can't be read, or
    StoreUnavailable.
    """

    kind: Kind[Any]
    group: str | None = None
    limit: int = 100
    before: int | None = None


StoreEffect: TypeAlias = StoreGet | StorePut | StoreTake | StoreDelete | StoreFind
