"""Going through all records of a store, some at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policy.store import StoreDelete, StoreFind, StorePut
from tests.proxy.store.stores import Opened, kind

NAMES = kind()


async def pages(store: Opened, find: StoreFind) -> list[list[str]]:
    """Follow from page to page until there is none."""
    found: list[list[str]] = []
    while records := await store.ask(find):
        found.append([record.key for record in records])
        find = replace(find, before=records[-1].version)
    return found


async def put(store: Opened, *keys: str) -> None:
    for key in keys:
        group = "odd" if int(key) % 2 else "even"
        await store.ask(StorePut(kind=NAMES, key=key, value="v", ttl_s=3600, groups=(group,)))


@pytest.mark.parametrize(
    ("find", "expected"),
    [
        (StoreFind(kind=NAMES, limit=2), [["5", "4"], ["3", "2"], ["1"]]),
        (StoreFind(kind=NAMES, limit=2, group="odd"), [["5", "3"], ["1"]]),
        (StoreFind(kind=NAMES, limit=100), [["5", "4", "3", "2", "1"]]),
        (StoreFind(kind=NAMES, group="none"), []),
    ],
    ids=["all", "group", "one page", "nothing"],
)
async def test_each_record_is_on_one_page(
    store: Opened, find: StoreFind, expected: list[list[str]]
) -> None:
    await put(store, "1", "2", "3", "4", "5")
    assert await pages(store, find) == expected


async def test_a_page_ends_where_it_ended_when_records_go_meanwhile(store: Opened) -> None:
    await put(store, "1", "2", "3")
    first = await store.ask(StoreFind(kind=NAMES, limit=1))
    await store.ask(StoreDelete(kind=NAMES, key="3"))
    rest = await pages(store, StoreFind(kind=NAMES, before=first[-1].version))
    assert rest == [["2", "1"]]


async def test_a_record_that_is_written_again_moves_to_the_front(store: Opened) -> None:
    await put(store, "1", "2", "3")
    await put(store, "1")
    assert await pages(store, StoreFind(kind=NAMES, limit=2)) == [["1", "3"], ["2"]]
