"""A store on a server: shared by replicas, and away for as long as the server is."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
import trustme

from policy.store import ABSENT, StoreFind, StoreGet, StorePut, StoreTake, StoreUnavailable
from proxy.store import failures
from tests.proxy.serving import LOOPBACK
from tests.proxy.store.stores import (
    KEY,
    OTHER_KEY,
    answered,
    free_port,
    kind,
    opened_server,
    refused,
    running_redis,
)

NAMES = kind()
GET = StoreGet(kind=NAMES, key="k")


def put(value: str = "v", **changes: object) -> StorePut:
    values: dict[str, object] = {"kind": NAMES, "key": "k", "value": value, "ttl_s": 60, **changes}
    return StorePut(**values)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.store.redis_server.FIRST_LOOK_S", 0.02)
    monkeypatch.setattr("proxy.store.redis_server.LONGEST_LOOK_S", 0.05)
    monkeypatch.setattr("proxy.store.redis_server.TIMEOUT_S", 0.5)


async def test_two_replicas_have_the_same_records(server_port: int) -> None:
    async with opened_server(server_port) as one, opened_server(server_port) as other:
        version = await one.ask(put())
        assert (await other.ask(GET)).value == "v"
        assert await other.ask(put("new", if_version=version)) > version
        assert await one.ask(put("late", if_version=version)) is None
        taken = await asyncio.gather(
            *(each.ask(StoreTake(kind=NAMES, key="k")) for each in (one, other) * 20)
        )
        assert [each.value for each in taken if each is not None] == ["new"]


async def test_records_of_a_removed_key_do_not_exist(server_port: int) -> None:
    async with (
        opened_server(server_port) as old,
        opened_server(server_port, keys=(OTHER_KEY, KEY)) as both,
        opened_server(server_port, keys=(OTHER_KEY,)) as new,
    ):
        await old.ask(put(groups=("g",)))
        assert (await both.ask(GET)).value == "v"
        assert await new.ask(GET) is None
        assert await new.ask(StoreFind(kind=NAMES, group="g")) == ()
        assert await new.ask(put("new", if_version=ABSENT)) is not None
        assert (await both.ask(GET)).value == "new"


async def test_the_server_is_told_nothing(server_port: int) -> None:
    async with opened_server(server_port) as opened:
        await opened.ask(put("hunter2", key="alice", groups=("bob",)))
        reader, writer = await asyncio.open_connection(LOOPBACK, server_port)
        writer.write(b"KEYS *\r\n")
        names = await reader.readuntil(b"seq\r\n")
        writer.close()
        assert b"alice" not in names
        assert b"bob" not in names


async def test_what_has_ended_leaves_nothing_behind(
    server_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.store.redis.SWEEP_S", 0.02)
    async with opened_server(server_port) as opened:
        for number in range(3):
            await opened.ask(put(key=str(number), ttl_s=0.01, groups=("g", "h")))
        reader, writer = await asyncio.open_connection(LOOPBACK, server_port)
        async with asyncio.timeout(10):
            line = b""
            while line != b":1\r\n":
                writer.write(b"DBSIZE\r\n")
                line = await reader.readline()
        writer.close()
        assert [each.entries for each in opened.store.counts()] == [0]


async def test_a_start_without_the_server_refuses_until_it_is_there(tmp_path: Path) -> None:
    port = free_port()
    async with opened_server(port) as opened:
        assert await refused(opened, GET) == failures.UNREACHABLE
        with running_redis(tmp_path, port=port):
            assert await answered(opened, put()) is not None
        assert "store-unreachable" in opened.said[0]
        assert opened.said[1] == "penstock: the store works again"


async def test_a_server_that_is_killed_and_comes_back_is_found_again(tmp_path: Path) -> None:
    with running_redis(tmp_path) as running:
        async with opened_server(running.port) as opened:
            await opened.ask(put())
            running.kill()
            assert await refused(opened, GET) == failures.UNREACHABLE
            with running_redis(tmp_path, port=running.port):
                assert await answered(opened, GET) is None
                assert await answered(opened, put()) is not None


async def test_who_waits_when_the_server_is_killed_is_refused(tmp_path: Path) -> None:
    with running_redis(tmp_path) as running:
        async with opened_server(running.port) as opened:
            await opened.ask(put())
            running.signal(signal.SIGSTOP)
            waiting = [opened.store.answer(GET) for _ in range(20)]
            await asyncio.sleep(0)
            running.kill()
            answers = await asyncio.gather(*waiting)
            assert set(answers) == {StoreUnavailable(reason=failures.UNREACHABLE)}


async def test_a_server_that_hangs_is_too_slow_and_found_again(tmp_path: Path) -> None:
    with running_redis(tmp_path) as running:
        async with opened_server(running.port) as opened:
            await opened.ask(put())
            running.signal(signal.SIGSTOP)
            assert await refused(opened, GET) == failures.TOO_SLOW
            running.signal(signal.SIGCONT)
            assert (await answered(opened, GET)).value == "v"


async def test_an_idle_connection_that_the_server_ends_costs_nobody_an_answer(
    tmp_path: Path,
) -> None:
    with running_redis(tmp_path) as running:
        async with opened_server(running.port) as opened:
            await opened.ask(put())
            reader, writer = await asyncio.open_connection(LOOPBACK, running.port)
            writer.write(b"CLIENT KILL TYPE normal SKIPME yes\r\n")
            assert int((await reader.readline())[1:]) >= 1
            writer.close()
            await asyncio.sleep(0.05)
            assert (await opened.ask(GET)).value == "v"
        assert opened.said == []


async def test_scripts_that_the_server_has_forgotten_are_sent_again(server_port: int) -> None:
    async with opened_server(server_port) as opened:
        first = await opened.ask(put())
        reader, writer = await asyncio.open_connection(LOOPBACK, server_port)
        writer.write(b"SCRIPT FLUSH\r\n")
        await reader.readline()
        writer.close()
        assert await opened.ask(put()) > first


async def test_a_full_server_refuses_writes_and_answers_reads(tmp_path: Path) -> None:
    with running_redis(tmp_path, "--maxmemory-policy", "noeviction") as running:
        async with opened_server(running.port) as opened:
            await opened.ask(put())
            reader, writer = await asyncio.open_connection(LOOPBACK, running.port)
            for limit in (b"1", b"0"):
                writer.write(b"CONFIG SET maxmemory %b\r\n" % limit)
                await reader.readline()
                if limit == b"1":
                    answer = await opened.ask(put("new"))
                    assert answer == StoreUnavailable(reason=failures.FULL)
                    assert (await opened.ask(GET)).value == "v"
            writer.close()
            assert await opened.ask(put("new")) is not None


async def test_a_password_is_asked_for_and_never_shown(tmp_path: Path) -> None:
    with running_redis(tmp_path, "--requirepass", "hunter2") as running:
        for password in (None, "hunter3"):
            async with opened_server(running.port, password=password) as opened:
                assert await refused(opened, GET) == failures.REFUSED
                assert "hunter" not in "".join(opened.said)
        for username in (None, "default"):
            async with opened_server(running.port, username=username, password="hunter2") as opened:
                assert await answered(opened, put()) is not None


async def test_databases_are_apart(server_port: int) -> None:
    async with opened_server(server_port) as one, opened_server(server_port, database=3) as other:
        await one.ask(put())
        assert await other.ask(GET) is None
        assert await other.ask(put("other")) is not None
        assert (await one.ask(GET)).value == "v"


@pytest.fixture
def tls_files(tmp_path: Path) -> tuple[Path, list[str]]:
    """The authority's file, and a server's options for TLS."""
    authority = trustme.CA()
    issued = authority.issue_cert(LOOPBACK)
    files = [tmp_path / each for each in ("ca.pem", "cert.pem", "key.pem")]
    authority.cert_pem.write_to_path(files[0])
    issued.cert_chain_pems[0].write_to_path(files[1])
    issued.private_key_pem.write_to_path(files[2])
    names = ("--tls-ca-cert-file", "--tls-cert-file", "--tls-key-file")
    options = [text for pair in zip(names, map(str, files), strict=True) for text in pair]
    return files[0], [*options, "--tls-auth-clients", "no"]


async def test_tls_checks_the_servers_name_and_authority(
    tmp_path: Path, tls_files: tuple[Path, list[str]]
) -> None:
    authority, options = tls_files
    secure = free_port()
    with running_redis(tmp_path, *options, "--tls-port", str(secure)):
        async with opened_server(secure, is_tls=True, authorities=authority) as opened:
            assert await answered(opened, put()) is not None
            assert (await answered(opened, GET)).value == "v"
        async with opened_server(secure, is_tls=True) as opened:
            assert await refused(opened, GET) == failures.UNREACHABLE
            assert "TLS" in opened.said[0]


async def test_something_else_that_listens_there_is_no_server(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    async with server, opened_server(server.sockets[0].getsockname()[1]) as opened:
        assert await refused(opened, GET) == failures.UNREACHABLE


async def test_a_write_is_done_when_nobody_waits_for_it_any_more(server_port: int) -> None:
    async with opened_server(server_port) as opened:
        await opened.ask(put("first"))
        waiting = opened.store.answer(put())
        await asyncio.sleep(0)
        waiting.cancel()
        assert (await opened.ask(GET)).value == "v"
