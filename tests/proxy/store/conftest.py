"""Stores for tests: each sort of them, and the server that one sort needs."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.proxy.serving import LOOPBACK
from tests.proxy.store.stores import (
    Opened,
    opened_file,
    opened_memory,
    opened_server,
    running_redis,
)


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with running_redis(tmp_path_factory.mktemp("redis")) as running:
        yield running.port


@pytest.fixture
def server_port(redis_port: int) -> int:
    """A server without any records."""
    with socket.create_connection((LOOPBACK, redis_port)) as connection:
        connection.sendall(b"FLUSHALL\r\n")
        assert connection.recv(100) == b"+OK\r\n"
    return redis_port


@pytest.fixture(params=["memory", "file", "server"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opened]:
    match request.param:
        case "memory":
            async with opened_memory() as opened:
                yield opened
        case "file":
            async with opened_file(tmp_path / "store.db") as opened:
                yield opened
        case _:
            port = request.getfixturevalue("server_port")
            async with opened_server(port) as opened:
                yield opened
