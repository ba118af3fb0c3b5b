"""The store on a Redis or Valkey server, which replicas share.

All that must happen in one step happens in a script on the server. A server that can't be asked is
looked for again in the background; meanwhile the answer is StoreUnavailable, without waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from math import ceil
from typing import Any, Final, assert_never

from policy.store import (
    ABSENT,
    Kind,
    Record,
    StoreDelete,
    StoreEffect,
    StoreFind,
    StoreGet,
    StorePut,
    StoreTake,
)
from proxy.store import redis_scripts
from proxy.store.failures import Failures
from proxy.store.interface import KindCount
from proxy.store.redis_server import TROUBLE, RedisAddress, RedisServer, Script
from proxy.store.sealed import RecentlyOpened, Seal, record_id

SWEEP_S: Final = 30.0
# How often a record that nobody can read is written over, before another one wins the race.
MOST_TRIES: Final = 3
ANY: Final = -1

PUT: Final = Script(redis_scripts.PUT)
REMOVE: Final = Script(redis_scripts.REMOVE)
FIND: Final = Script(redis_scripts.FIND)
SWEEP: Final = Script(redis_scripts.SWEEP)


class RedisStore:
    """A store on a server. To be made in the process that uses it."""

    def __init__(self, address: RedisAddress, seal: Seal, *, say: Callable[[str], None]) -> None:
        """Prepare; the server is connected to when it is needed first."""
        self._server = RedisServer(address, say=say)
        self._seal = seal
        self._open = RecentlyOpened(seal)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sweeping: asyncio.Task[None] | None = None
        self._counts: dict[str, KindCount] = {}

    def answer(self, effect: StoreEffect) -> Any:
        """Answer an effect: as a future, unless the server is known to be away."""
        away = self._server.away
        if away is not None:
            self._server.failures.again(1)
            return away
        task = asyncio.ensure_future(self._answer(effect))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def at_hand(self, _kind: Kind[Any], _key: str) -> None:
        """Have nothing here: the server is always asked."""

    def start(self) -> None:
        """Connect, and sweep from time to time."""
        self._server.connect()
        self._sweeping = asyncio.create_task(self._keep_swept(), name="store-sweep")

    def counts(self) -> tuple[KindCount, ...]:
        """Count records by kind, as of half a minute ago."""
        return tuple(self._counts.values())

    @property
    def failures(self) -> Failures:
        """What has gone wrong."""
        return self._server.failures

    async def close(self) -> None:
        """Finish what was begun, and close the connection."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        if self._tasks:
            # None waits for longer than the server may take.
            await asyncio.wait(self._tasks)
        await self._server.close()

    async def _answer(self, effect: StoreEffect) -> Any:
        try:
            answer = await self._ask(effect)
        except TROUBLE as error:
            return self._server.note(error)
        self._server.failures.succeeded()
        return answer

    async def _ask(self, effect: StoreEffect) -> Any:
        kind = effect.kind
        if kind.name not in self._counts:
            self._counts[kind.name] = KindCount(kind.name, 0, 0)
        match effect:
            case StoreGet(key=key):
                id_ = record_id(kind.name, key)
                found = await self._server.ask(b"HMGET", _base(kind) + b"r:" + id_, b"v", b"b")
                return self._opened(kind, id_, *found)
            case StorePut():
                return await self._put(effect)
            case StoreTake(key=key):
                id_ = record_id(kind.name, key)
                return self._opened(kind, id_, *await self._remove(kind, id_))
            case StoreDelete(key=key):
                version, _ = await self._remove(kind, record_id(kind.name, key))
                return version is not None
            case StoreFind():
                return await self._find(effect)
            case _:
                assert_never(effect)

    async def _put(self, effect: StorePut) -> int | None:
        kind = effect.kind
        id_ = record_id(kind.name, effect.key)
        sealed = self._seal.seal(kind, effect.key, effect.value)
        groups = b"".join({record_id(kind.name, group) for group in effect.groups})
        wanted = ANY if effect.if_version is None else effect.if_version
        most_in_group = ANY if kind.max_per_group is None else kind.max_per_group
        lives_ms = max(1, ceil(effect.ttl_s * 1000))
        for _ in range(MOST_TRIES):
            numbers = (b"%d" % each for each in (lives_ms, wanted, kind.max_entries, most_in_group))
            version, evicted, standing, content = await self._server.run(
                PUT, _base(kind), id_, sealed, *numbers, groups
            )
            if version:
                count = self._counts[kind.name]
                self._counts[kind.name] = count._replace(evicted=count.evicted + evicted)
                return int(version)
            if effect.if_version != ABSENT or self._opened(kind, id_, standing, content):
                return None
            # Who reads it is told that there is none, and must be able to write one.
            wanted = int(standing)
        return None

    async def _remove(self, kind: Kind[Any], id_: bytes) -> tuple[bytes | None, bytes | None]:
        version, sealed = await self._server.run(REMOVE, _base(kind), id_)
        return version, sealed

    async def _find(self, effect: StoreFind) -> tuple[Record[Any], ...]:
        kind = effect.kind
        group = () if effect.group is None else (record_id(kind.name, effect.group),)
        before = b"+inf" if effect.before is None else b"%d" % effect.before
        found = await self._server.run(FIND, _base(kind), b"%d" % effect.limit, before, *group)
        rows = zip(found[::3], found[1::3], found[2::3], strict=True)
        opened = (self._opened(kind, *row) for row in rows)
        return tuple(each for each in opened if each is not None)

    def _opened(
        self, kind: Kind[Any], id_: bytes, version: bytes | None, sealed: bytes | None
    ) -> Record[Any] | None:
        if version is None or sealed is None:
            return None
        return self._open(kind, id_, sealed, int(version))

    async def _keep_swept(self) -> None:
        while True:
            for count in tuple(self._counts.values()):
                # What is wrong is told to those who need the store.
                with suppress(*TROUBLE):
                    await self._sweep(count.kind)
            await asyncio.sleep(SWEEP_S)

    async def _sweep(self, name: str) -> None:
        swept = redis_scripts.SWEEP_BATCH
        while swept == redis_scripts.SWEEP_BATCH:
            swept, left = await self._server.run(SWEEP, _base_of(name))
            self._counts[name] = self._counts[name]._replace(entries=left)
        self._server.failures.succeeded()


def _base(kind: Kind[Any]) -> bytes:
    return _base_of(kind.name)


def _base_of(name: str) -> bytes:
    return b"penstock:%b:" % name.encode()
