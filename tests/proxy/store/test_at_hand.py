"""Records that can be read without waiting, and that nobody has to wait for one that can't."""

from __future__ import annotations

from pathlib import Path

from policy.store import Record, StoreDelete, StoreGet, StorePut
from tests.proxy.store.stores import Opened, answered, kind, opened_file, opened_memory

NAMES = kind()
GET = StoreGet(kind=NAMES, key="k")
PUT = StorePut(kind=NAMES, key="k", value="v", ttl_s=3600)


async def test_what_is_at_hand_is_what_would_be_answered(store: Opened) -> None:
    assert store.store.at_hand(GET.kind, GET.key) is None
    version = await answered(store, PUT)
    found = store.store.at_hand(GET.kind, GET.key)
    assert found in (None, Record(key="k", value="v", version=version))
    await store.ask(StoreDelete(kind=NAMES, key="k"))
    assert store.store.at_hand(GET.kind, GET.key) is None


async def test_a_store_of_our_own_has_everything_at_hand(tmp_path: Path) -> None:
    async with opened_memory() as memory, opened_file(tmp_path / "store.db") as file:
        for each in (memory, file):
            await answered(each, PUT)
            assert each.store.at_hand(GET.kind, GET.key) is not None


async def test_a_file_that_is_not_open_has_nothing_at_hand(tmp_path: Path) -> None:
    async with opened_file(tmp_path / "store.db") as file:
        await answered(file, PUT)
    assert file.store.at_hand(GET.kind, GET.key) is None
