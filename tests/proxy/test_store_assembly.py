"""The setting `store`: where records are kept, with which keys, and what is wrong with it."""

from __future__ import annotations

import base64
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from policy.problem import PolicyError, Severity
from policy.source import parse_source
from proxy.assembly import Assembly, assemble
from proxy.config import plan_of
from proxy.failure import Failure
from proxy.plan import EndpointPlan, ListenerPlan, Plan, StorePlan
from proxy.reload import change_lines
from proxy.settings_types import SocketAddress, read_store
from proxy.store.opening import InFile, InMemory, OnServer, open_store, with_key
from proxy.store.redis import RedisStore
from proxy.store.sqlite import SqliteStore
from tests.proxy.store.stores import KEY, OTHER_KEY

ENDPOINTS = "\nendpoints: [{upstream: {url: 8080}}]\n"


def assembled(folder: Path, store: str) -> Assembly:
    root = parse_source(f"store: {store}{ENDPOINTS}", name="penstock.yml")
    return assemble(plan_of(root, name="penstock.yml", folder=folder))


def problems(folder: Path, store: str) -> list[tuple[str, int, str]]:
    with pytest.raises(PolicyError) as error:
        assembled(folder, store)
    errors = [each for each in error.value.problems if each.severity is Severity.ERROR]
    return [(each.code, each.place.column, each.message) for each in errors]


def key_file(folder: Path, name: str = "store.key", key: bytes = KEY) -> Path:
    path = folder / name
    path.write_bytes(base64.b64encode(key) + b"\n")
    path.chmod(0o600)
    return path


def test_records_are_in_memory_unless_something_else_is_said(tmp_path: Path) -> None:
    for store in ("memory", "{url: memory}"):
        assert assembled(tmp_path, store).store == InMemory()
    root = parse_source(ENDPOINTS, name="penstock.yml")
    assert assemble(plan_of(root, name="x", folder=tmp_path)).store == InMemory()


def test_a_file_counts_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    config = assembled(tmp_path, "sqlite:state.db").store
    assert config == InFile(path=tmp_path / "state.db", keys=())
    absolute = assembled(Path("/nonexistent"), f"sqlite:{tmp_path}/state.db").store
    assert absolute == config


def test_keys_are_read_in_their_order(tmp_path: Path) -> None:
    key_file(tmp_path)
    key_file(tmp_path, "new.key", OTHER_KEY)
    text = "{url: sqlite:state.db, key_files: [new.key, store.key]}"
    config = assembled(tmp_path, text).store
    assert config == InFile(path=tmp_path / "state.db", keys=(OTHER_KEY, KEY))
    assert repr(KEY) not in repr(config)


def test_a_file_gets_a_key_of_its_own_once(tmp_path: Path) -> None:
    said: list[str] = []
    first = with_key(assembled(tmp_path, "sqlite:state.db").store, said.append)
    again = with_key(assembled(tmp_path, "sqlite:state.db").store, said.append)
    assert first == again
    assert len(said) == 1
    assert "state.db.key" in said[0]


def test_a_key_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    config = InFile(path=tmp_path / "none" / "state.db", keys=())
    with pytest.raises(Failure, match=r"can't make the store's key .*No such file"):
        with_key(config, print)


def test_a_server_is_named_with_all_it_takes(tmp_path: Path) -> None:
    key_file(tmp_path)
    (tmp_path / "password").write_text("hunter2\n")
    url = "rediss://app@store.example.com:7000/3"
    text = f"{{url: '{url}', key_files: [store.key], password_file: password}}"
    config = assembled(tmp_path, text).store
    assert config == OnServer(
        host="store.example.com", port=7000, database=3, username="app", password="hunter2",
        keys=(KEY,), is_tls=True,
    )  # fmt: skip
    assert "hunter2" not in repr(config)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("redis://h", ("h", 6379, 0, None, None, False)),
        ("redis://h/", ("h", 6379, 0, None, None, False)),
        ("rediss://:p%40ss@[::1]:1/15", ("::1", 1, 15, None, "p@ss", True)),
        ("redis://u:p@h:7", ("h", 7, 0, "u", "p", False)),
    ],
)
def test_a_url_is_read_part_by_part(url: str, found: tuple[object, ...]) -> None:
    place = read_store(url)
    parts = (place.host, place.port, place.database, place.username, place.password, place.is_tls)
    assert parts == found
    assert "p@ss" not in repr(place)


@pytest.mark.parametrize(
    "url",
    [
        "", "file", "sqlite", "sqlite:", "sqlite://relative.db", "redis:", "redis://", "redis://h/x",
        "redis://h/0/1", "redis://h:99999", "redis://h?db=1", "valkey://h", "mysql://u:hunter2@h",
        "redis://u:hunter2@h:port",
    ],
)  # fmt: skip
def test_anything_else_is_refused_without_showing_a_password(tmp_path: Path, url: str) -> None:
    ((code, column, message),) = problems(tmp_path, f"'{url}'")
    assert (code, column) == ("store-url-invalid", 8)
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "can't read"),
        (b"hunter2", "it is no base64"),
        (base64.b64encode(b"short"), "it is not the base64 of 32 bytes"),
    ],
)
def test_a_key_file_that_is_none_is_told_where_it_is_named(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "store.key").write_bytes(content)
    ((code, column, found),) = problems(tmp_path, "{url: sqlite:a.db, key_files: [store.key]}")
    assert (code, column) == ("file-unusable", 39)
    assert message in found
    assert "hunter2" not in found


def test_a_key_beside_the_file_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.db.key").write_text("x")
    ((code, _, message),) = problems(tmp_path, "sqlite:a.db")
    assert code == "file-unusable"
    assert "a.db.key" in message


def test_files_that_others_can_read_are_warned_of(tmp_path: Path) -> None:
    key_file(tmp_path).chmod(0o644)
    sqlite3.connect(tmp_path / "a.db").close()
    (tmp_path / "a.db").chmod(0o644)
    warnings = assembled(tmp_path, "{url: sqlite:a.db, key_files: [store.key]}").warnings
    assert [each.code for each in warnings] == ["readable-by-others"] * 2
    assert {each.severity for each in warnings} == {Severity.WARNING}


@pytest.mark.parametrize(
    ("path", "message"),
    [("none/a.db", "no such folder"), ("text", "something else"), (".", "is a directory")],
)
def test_a_file_that_can_be_no_store_is_told(tmp_path: Path, path: str, message: str) -> None:
    (tmp_path / "text").write_text("hello")
    ((code, column, found),) = problems(tmp_path, f"sqlite:{path}")
    assert (code, column) == ("file-unusable", 8)
    assert message in found


@pytest.mark.parametrize("name", ["authorities", "password_file"])
def test_other_files_that_can_not_be_read_are_told(tmp_path: Path, name: str) -> None:
    key_file(tmp_path)
    text = f"{{url: 'rediss://h', key_files: [store.key], {name}: none}}"
    ((code, _, message),) = problems(tmp_path, text)
    assert code == "file-unusable"
    assert "none" in message


def test_a_server_on_the_command_line_has_no_keys() -> None:
    plan = Plan(
        listeners=(ListenerPlan(address=SocketAddress("127.0.0.1", 0)),),
        endpoints=(EndpointPlan(name="x", url=None, upstream=None),),
        store=StorePlan(url=read_store("redis://h")),
    )
    with pytest.raises(Failure, match="keys that all replicas have"):
        assemble(plan)


def test_a_changed_store_or_key_needs_a_restart(tmp_path: Path) -> None:
    key_file(tmp_path)
    file = assembled(tmp_path, "{url: sqlite:a.db, key_files: [store.key]}")
    key_file(tmp_path, key=OTHER_KEY)
    rotated = assembled(tmp_path, "{url: sqlite:a.db, key_files: [store.key]}")
    memory = assembled(tmp_path, "memory")
    line = "penstock: the store or its keys have changed: restart to use them"
    assert list(change_lines(file, memory)) == [line]
    assert list(change_lines(file, rotated)) == [line]
    assert list(change_lines(rotated, replace(rotated))) == []


async def test_each_place_has_its_store(tmp_path: Path) -> None:
    key_file(tmp_path)
    file = assembled(tmp_path, "{url: sqlite:a.db, key_files: [store.key]}").store
    server = assembled(tmp_path, "{url: 'redis://h', key_files: [store.key]}").store
    assert isinstance(open_store(file, None, print), SqliteStore)
    assert isinstance(open_store(server, None, print), RedisStore)
