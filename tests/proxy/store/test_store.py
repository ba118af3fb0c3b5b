"""What every store does, wherever it keeps its records."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from policy.store import (
    ABSENT,
    Record,
    StoreDelete,
    StoreFind,
    StoreGet,
    StorePut,
    StoreTake,
)
from proxy.store.redis import RedisStore
from tests.proxy.store.stores import Opened, kind

NAMES = kind()
GET = StoreGet(kind=NAMES, key="k")


def put(key: str = "k", value: str = "v", **changes: object) -> StorePut:
    return replace(StorePut(kind=NAMES, key=key, value=value, ttl_s=3600), **changes)  # type: ignore[arg-type]


async def test_what_was_put_is_there(store: Opened) -> None:
    version = await store.ask(put())
    assert version >= 1
    assert await store.ask(GET) == Record(key="k", value="v", version=version)


async def test_what_was_not_put_is_not_there(store: Opened) -> None:
    assert await store.ask(GET) is None
    assert await store.ask(StoreTake(kind=NAMES, key="k")) is None
    assert await store.ask(StoreDelete(kind=NAMES, key="k")) is False
    assert await store.ask(StoreFind(kind=NAMES, group="g")) == ()


@pytest.mark.parametrize("key", ["", "ü\U0001f600", "\ud800", "a:b:c", "x" * 5000, "\0"])
async def test_any_text_is_a_key_and_a_group(store: Opened, key: str) -> None:
    await store.ask(put(key, groups=(key,)))
    (found,) = await store.ask(StoreFind(kind=NAMES, group=key))
    assert (found.key, found.value) == (key, "v")
    assert (await store.ask(StoreGet(kind=NAMES, key=key))) == found


async def test_kinds_do_not_meet(store: Opened) -> None:
    other = kind("other")
    await store.ask(put(groups=("g",)))
    assert await store.ask(StoreGet(kind=other, key="k")) is None
    assert await store.ask(StoreFind(kind=other, group="g")) == ()
    assert await store.ask(StoreDelete(kind=other, key="k")) is False


async def test_versions_grow_also_over_the_end_of_a_record(store: Opened) -> None:
    versions = [await store.ask(put()), await store.ask(put())]
    await store.ask(StoreDelete(kind=NAMES, key="k"))
    versions += [await store.ask(put()), await store.ask(put())]
    assert sorted(set(versions)) == versions


async def test_a_write_over_another_version_changes_nothing(store: Opened) -> None:
    old = await store.ask(put())
    new = await store.ask(put(value="new", if_version=old))
    assert new > old
    assert await store.ask(put(value="late", if_version=old)) is None
    assert await store.ask(put(value="late", if_version=ABSENT)) is None
    assert (await store.ask(GET)) == Record(key="k", value="new", version=new)


async def test_a_write_where_there_is_nothing_needs_nothing_there(store: Opened) -> None:
    assert await store.ask(put(if_version=7)) is None
    assert await store.ask(GET) is None
    version = await store.ask(put(if_version=ABSENT))
    assert (await store.ask(GET)).version == version
    await store.ask(StoreDelete(kind=NAMES, key="k"))
    assert await store.ask(put(if_version=version)) is None
    assert await store.ask(put(if_version=ABSENT)) > version


async def test_of_many_who_write_over_one_version_one_does(store: Opened) -> None:
    version = await store.ask(put())
    writes = [put(value=str(each), if_version=version) for each in range(50)]
    assert sum(answer is not None for answer in await store.ask_all(writes)) == 1


async def test_of_many_who_take_a_record_one_gets_it(store: Opened) -> None:
    await store.ask(put())
    taken = await store.ask_all([StoreTake(kind=NAMES, key="k") for _ in range(50)])
    assert sorted(each.value for each in taken if each is not None) == ["v"]
    assert await store.ask(GET) is None


async def test_of_many_who_delete_a_record_one_did(store: Opened) -> None:
    await store.ask(put())
    assert sum(await store.ask_all([StoreDelete(kind=NAMES, key="k")] * 50)) == 1


async def ended(store: Opened, effect: StoreGet) -> bool:
    async with asyncio.timeout(5):
        while await store.ask(effect) is not None:  # noqa: ASYNC110 - its end is a matter of time
            await asyncio.sleep(0.005)
    return True


async def test_a_record_ends(store: Opened) -> None:
    await store.ask(put(ttl_s=0.05, groups=("g",)))
    assert await ended(store, GET)
    assert await store.ask(StoreFind(kind=NAMES)) == ()
    assert await store.ask(StoreFind(kind=NAMES, group="g")) == ()
    assert await store.ask(StoreTake(kind=NAMES, key="k")) is None
    assert await store.ask(StoreDelete(kind=NAMES, key="k")) is False


async def test_a_record_that_has_ended_is_absent_for_a_write(store: Opened) -> None:
    await store.ask(put(ttl_s=0.05))
    assert await ended(store, GET)
    assert await store.ask(put(if_version=ABSENT)) is not None


async def test_a_write_gives_new_time(store: Opened) -> None:
    await store.ask(put(ttl_s=0.05))
    await store.ask(put("short", ttl_s=0.06))
    await store.ask(put())
    assert await ended(store, StoreGet(kind=NAMES, key="short"))
    assert await store.ask(GET) is not None


async def test_records_are_found_by_group_newest_first(store: Opened) -> None:
    for key, groups in (("a", ("g",)), ("b", ("h",)), ("c", ("g", "h")), ("d", ("g", "g"))):
        await store.ask(put(key, groups=groups))

    async def found(group: str | None, limit: int = 100) -> list[str]:
        return [
            each.key for each in await store.ask(StoreFind(kind=NAMES, group=group, limit=limit))
        ]

    assert await found("g") == ["d", "c", "a"]
    assert await found("h") == ["c", "b"]
    assert await found(None) == ["d", "c", "b", "a"]
    assert await found(None, 2) == ["d", "c"]
    await store.ask(put("a", groups=("h",)))
    assert await found("g") == ["d", "c"]
    assert await found("h", 1) == ["a"]
    await store.ask(StoreTake(kind=NAMES, key="c"))
    await store.ask(StoreDelete(kind=NAMES, key="d"))
    assert await found("g") == []
    assert await found("h") == ["a", "b"]


async def test_beyond_its_bound_a_kind_loses_what_was_not_written_for_longest(
    store: Opened,
) -> None:
    few = kind("few", max_entries=3)
    for key in ("a", "b", "c", "a", "d"):
        await store.ask(put(key, kind=few))
    assert [each.key for each in await store.ask(StoreFind(kind=few))] == ["d", "a", "c"]
    assert await store.ask(StoreGet(kind=few, key="b")) is None


async def test_beyond_its_bound_a_group_loses_its_oldest(store: Opened) -> None:
    few = kind("few", max_per_group=2)
    for key, group in (("a", "g"), ("b", "h"), ("c", "g"), ("d", "g"), ("e", "h")):
        await store.ask(put(key, kind=few, groups=(group,)))
    assert [each.key for each in await store.ask(StoreFind(kind=few))] == ["e", "d", "c", "b"]


async def test_a_bound_of_one_group_leaves_the_record_in_none(store: Opened) -> None:
    few = kind("few", max_per_group=1)
    await store.ask(put("a", kind=few, groups=("g", "h")))
    await store.ask(put("b", kind=few, groups=("g",)))
    assert await store.ask(StoreFind(kind=few, group="h")) == ()


async def test_what_has_ended_makes_room_before_anything_goes(store: Opened) -> None:
    few = kind("few", max_entries=2, max_per_group=2)
    await store.ask(put("old", kind=few, groups=("g",)))
    await store.ask(put("short", kind=few, ttl_s=0.05, groups=("g",)))
    assert await ended(store, StoreGet(kind=few, key="short"))
    await store.ask(put("new", kind=few, groups=("g",)))
    found = await store.ask(StoreFind(kind=few, group="g"))
    assert [each.key for each in found] == ["new", "old"]


async def test_a_hundred_thousand_puts_stay_within_their_bounds(store: Opened) -> None:
    # A server takes one at a time, so that their order is known, and fewer of them.
    is_server = isinstance(store.store, RedisStore)
    count, at_once = (10_000, 1) if is_server else (100_000, 2000)
    logins = kind("login", max_entries=5000, max_per_group=20)
    sessions = kind("session", max_entries=5000)
    await store.ask(put("session", kind=sessions))
    for first in range(0, count, at_once):
        puts = (
            StorePut(
                kind=logins, key=str(number), value="", ttl_s=3600, groups=(f"a{number % 1000}",)
            )
            for number in range(first, first + at_once)
        )
        answers = [store.store.answer(each) for each in puts]
        await asyncio.gather(*(each for each in answers if isinstance(each, asyncio.Future)))
    found = await store.ask(StoreFind(kind=logins, limit=10_000))
    assert [int(each.key) for each in found] == list(range(count - 1, count - 5001, -1))
    one = await store.ask(StoreFind(kind=logins, group="a7"))
    assert [int(each.key) for each in one] == list(range(count - 993, count - 5993, -1000))
    assert await store.ask(StoreGet(kind=sessions, key="session")) is not None
    evicted = {each.kind: each.evicted for each in store.store.counts()}
    assert evicted["login"] == count - 5000
    assert store.said == []
