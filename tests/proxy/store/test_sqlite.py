"""A store in a file: it survives restarts, and says what is wrong when it can't be used."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from policy.store import (
    ABSENT,
    StoreDelete,
    StoreFind,
    StoreGet,
    StorePut,
    StoreTake,
    StoreUnavailable,
)
from proxy.store import failures
from proxy.store.sqlite_database import UnusableFile, check_file
from proxy.store.sqlite_file import SteadyClock
from tests.proxy.serving import until
from tests.proxy.store.stores import KEY, OTHER_KEY, answered, kind, opened_file, refused

NAMES = kind()
GET = StoreGet(kind=NAMES, key="k")


def put(value: str = "v", **changes: object) -> StorePut:
    values: dict[str, object] = {"kind": NAMES, "key": "k", "value": value, "ttl_s": 60, **changes}
    return StorePut(**values)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.store.sqlite_writer.LOOK_S", 0.02)
    monkeypatch.setattr("proxy.store.sqlite_writer.REOPEN_S", 0.02)
    monkeypatch.setattr("proxy.store.sqlite_writer.SWEEP_S", 0.02)
    monkeypatch.setattr("proxy.store.sqlite_database.BUSY_TIMEOUT_MS", 50)


async def test_records_survive_a_restart(path: Path) -> None:
    async with opened_file(path) as opened:
        version = await opened.ask(put(groups=("g",)))
    async with opened_file(path) as opened:
        (found,) = await opened.ask(StoreFind(kind=NAMES, group="g"))
        assert (found.value, found.version) == ("v", version)
        assert await opened.ask(put()) > version


async def test_the_file_is_its_owners_only(path: Path) -> None:
    before = os.umask(0)
    try:
        async with opened_file(path) as opened:
            await opened.ask(put())
            modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


async def test_the_file_tells_nothing(path: Path) -> None:
    async with opened_file(path) as opened:
        await opened.ask(put("hunter2", key="alice@example.com", groups=("bob@example.com",)))
        content = b"".join(each.read_bytes() for each in path.parent.iterdir())
    assert b"name" in content
    for secret in (b"hunter2", b"alice", b"bob", b"example"):
        assert secret not in content


async def test_reads_are_answered_at_once(path: Path) -> None:
    async with opened_file(path) as opened:
        await opened.ask(put())
        await until(lambda: not isinstance(opened.store.answer(GET), asyncio.Future))
        assert opened.store.answer(GET).value == "v"
        assert opened.store.answer(StoreFind(kind=NAMES))[0].value == "v"


def play(path: Path, ready: object, results: object) -> None:
    """Take a hundred tokens in another process, as quickly as it can."""

    async def take() -> list[str]:
        async with opened_file(path) as opened:
            ready.wait()  # type: ignore[attr-defined]
            answers = [
                await opened.ask(StoreTake(kind=NAMES, key=str(number))) for number in range(100)
            ]
            return [each.value for each in answers if each is not None]

    results.put(asyncio.run(take()))  # type: ignore[attr-defined]


async def test_of_two_processes_one_gets_a_record(path: Path) -> None:
    async with opened_file(path) as opened:
        await opened.ask_all([put(str(each), key=str(each)) for each in range(100)])
        context = multiprocessing.get_context("spawn")
        ready, results = context.Barrier(2), context.Queue()
        players = [context.Process(target=play, args=(path, ready, results)) for _ in range(2)]
        for each in players:
            each.start()
        taken = [await asyncio.to_thread(results.get, True, 60) for _ in players]
        for each in players:
            each.join()
        assert sorted(taken[0] + taken[1], key=int) == [str(each) for each in range(100)]
        assert await opened.ask(StoreFind(kind=NAMES)) == ()


async def test_what_one_writes_another_reads_at_once(path: Path) -> None:
    async with opened_file(path) as one, opened_file(path) as other:
        await one.ask(put("1"))
        await answered(other, GET)
        for number in range(50):
            await one.ask(put(str(number)))
            assert (await other.ask(GET)).value == str(number)
        await other.ask(StoreDelete(kind=NAMES, key="k"))
        assert await one.ask(GET) is None


async def test_a_key_that_was_added_in_front_leaves_old_records_readable(path: Path) -> None:
    async with opened_file(path) as opened:
        await opened.ask(put())
    async with opened_file(path, keys=(OTHER_KEY, KEY)) as opened:
        assert (await opened.ask(GET)).value == "v"


async def test_records_of_a_removed_key_do_not_exist(path: Path) -> None:
    async with opened_file(path) as opened:
        await opened.ask(put(groups=("g",)))
    async with opened_file(path, keys=(OTHER_KEY,)) as opened:
        assert await opened.ask(GET) is None
        assert await opened.ask(StoreFind(kind=NAMES, group="g")) == ()
        assert await opened.ask(put("new", if_version=ABSENT)) is not None
        assert (await opened.ask(GET)).value == "new"


async def test_what_has_ended_is_swept(path: Path) -> None:
    async with opened_file(path) as opened:
        await opened.ask_all([put(key=str(each), ttl_s=0.01) for each in range(1200)])
        await opened.ask(put())
        await until(lambda: [each.entries for each in opened.store.counts()] == [1])


@contextmanager
def locked(path: Path) -> Iterator[None]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.close()


async def test_a_locked_file_refuses_writes_and_recovers(path: Path) -> None:
    async with opened_file(path) as opened:
        await opened.ask(put())
        await answered(opened, GET)
        with locked(path):
            assert await opened.ask(put("new")) == StoreUnavailable(reason=failures.LOCKED)
            assert (await opened.ask(GET)).value == "v"
        assert await answered(opened, put("new")) is not None
        assert opened.store.failures is not None
        assert opened.store.failures.count >= 1
        said = "\n".join(opened.said)
        assert "store-locked" in said
        assert opened.said[-1] == "penstock: the store works again"


async def test_many_refusals_are_said_once(path: Path) -> None:
    async with opened_file(path) as opened:
        await opened.ask(put())
        with locked(path):
            for _ in range(3):
                await opened.ask_all([put()] * 20)
        await answered(opened, put())
        assert len(opened.said) == 2


async def test_a_damaged_file_refuses_until_it_is_moved_away(path: Path) -> None:
    async with opened_file(path) as opened:
        await opened.ask_all([put("x" * 1000, key=str(each)) for each in range(100)])
    damage(path)
    async with opened_file(path) as opened:
        assert await refused(opened, put(groups=("g",))) == failures.CORRUPTED
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        assert await answered(opened, put("new")) is not None
        assert (await opened.ask(GET)).value == "new"


def damage(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))


async def test_a_file_that_is_something_else_refuses(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to be one" * 200)  # noqa: ASYNC240
    async with opened_file(path) as opened:
        assert await refused(opened, GET) == failures.CORRUPTED


async def test_a_file_that_is_removed_while_it_is_used_is_made_anew(path: Path) -> None:
    async with opened_file(path) as opened:
        await opened.ask(put())
        for each in tuple(path.parent.iterdir()):
            each.unlink()
        await until(path.exists)
        assert await answered(opened, GET) is None
        assert await answered(opened, put("new")) is not None


async def test_a_folder_that_is_not_there_refuses_until_it_is(tmp_path: Path) -> None:
    path = tmp_path / "later" / "store.db"
    async with opened_file(path) as opened:
        assert await refused(opened, put()) == failures.UNREADABLE
        path.parent.mkdir()
        assert await answered(opened, put()) is not None


def fill(path: Path, results: object) -> None:
    """Write until files may not grow any more, then let them grow."""

    async def write() -> tuple[str, bool, bool, list[str]]:
        async with opened_file(path) as opened:
            version = await opened.ask(put("before"))
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
            reason = await refused(opened, put("x" * 20_000, key="big"))
            read = (await opened.ask(GET)).version
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            works = await answered(opened, put("after")) is not None
            return reason, read == version, works, opened.said

    results.put(asyncio.run(write()))  # type: ignore[attr-defined]


async def test_a_full_disk_refuses_writes_answers_reads_and_recovers(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    writer = context.Process(target=fill, args=(path, results))
    writer.start()
    reason, could_read, works, said = await asyncio.to_thread(results.get, True, 60)
    writer.join()
    assert (reason, could_read, works) == (failures.FULL, True, True)
    assert len([each for each in said if "store-full" in each]) == 1
    async with opened_file(path) as opened:
        assert (await opened.ask(GET)).value == "after"


async def test_a_file_of_a_newer_version_refuses(path: Path) -> None:
    async with opened_file(path) as opened:
        await opened.ask(put())
    make_newer(path)
    async with opened_file(path) as opened:
        assert await refused(opened, GET) == failures.NEWER


def make_newer(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def test_a_store_of_ours_is_fine_to_open(path: Path) -> None:
    check_file(path)
    async with opened_file(path) as opened:
        await opened.ask(put())
        check_file(path)
    check_file(path)


def other_program(path: Path) -> None:
    sqlite3.connect(path).execute("CREATE TABLE t (a)").connection.close()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: path.write_text("x"), id="text"),
        pytest.param(lambda path: path.mkdir(), id="folder"),
        pytest.param(other_program, id="of-another-program"),
    ],
)
def test_what_is_no_store_of_ours_is_found_before_it_is_opened(
    path: Path, make: Callable[[Path], object]
) -> None:
    make(path)
    with pytest.raises(UnusableFile):
        check_file(path)


async def test_a_newer_version_is_found_before_it_is_opened(path: Path) -> None:
    async with opened_file(path) as opened:
        await opened.ask(put())
    make_newer(path)
    with pytest.raises(UnusableFile, match="newer"):
        check_file(path)


async def test_a_write_is_done_when_nobody_waits_for_it_any_more(path: Path) -> None:
    async with opened_file(path) as opened:
        opened.store.answer(put()).cancel()
        await answered(opened, put(key="other"))
        assert (await opened.ask(GET)).value == "v"


async def test_a_fault_in_one_record_harms_no_other(path: Path) -> None:
    def broken(_data: bytes) -> str:
        raise KeyError("a mistake of ours")

    async with opened_file(path) as opened:
        bad = kind("bad", decode=broken)
        await opened.ask(put(kind=bad))
        answers = [
            opened.store.answer(each)
            for each in (put("1", key="1"), StoreTake(kind=bad, key="k"), put("2", key="2"))
        ]
        results = await asyncio.gather(*answers, return_exceptions=True)
        assert [type(each) for each in results] == [int, KeyError, int]


async def test_nothing_is_asked_after_the_end(path: Path) -> None:
    async with opened_file(path) as opened:
        await opened.ask(put())
    assert await opened.ask(GET) == StoreUnavailable(reason=failures.STOPPED)


def test_a_clock_that_is_set_back_keeps_no_record_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {"wall": 1000.0, "steady": 10.0}
    monkeypatch.setattr("time.time", lambda: times["wall"])
    monkeypatch.setattr("time.monotonic", lambda: times["steady"])
    clock = SteadyClock()
    assert clock() == 1000.0
    times.update(wall=400.0, steady=20.0)
    assert clock() == 1010.0
    times.update(wall=5000.0, steady=30.0)
    assert clock() == 5000.0
