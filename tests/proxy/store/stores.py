"""Opens each sort of store for the tests that all of them pass."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from policy.store import Kind, StoreEffect, StoreUnavailable
from proxy.store.interface import Store
from proxy.store.memory import ProcessMemory
from proxy.store.redis import RedisStore
from proxy.store.redis_server import RedisAddress
from proxy.store.sealed import Seal
from proxy.store.sqlite import SqliteStore
from proxy.store.sqlite_file import SqliteFile, SteadyClock
from tests.e2e import debian
from tests.proxy.serving import LOOPBACK, PATIENCE_S

KEY = bytes(range(32))
OTHER_KEY = bytes(reversed(range(32)))


def kind(name: str = "name", **changes: Any) -> Kind[str]:
    """A kind of records whose values are texts."""
    values: dict[str, Any] = {
        "encode": str.encode,
        "decode": bytes.decode,
        "max_entries": 1000,
        **changes,
    }
    return Kind(name=name, **values)


@dataclass
class Opened:
    """A store in use; `said` are its messages to the operator."""

    store: Store
    said: list[str] = field(default_factory=list)

    async def ask(self, effect: StoreEffect) -> Any:
        answer = self.store.answer(effect)
        return await answer if isinstance(answer, asyncio.Future) else answer

    async def ask_all(self, effects: list[Any]) -> list[Any]:
        return list(await asyncio.gather(*(self.ask(each) for each in effects)))


async def answered(opened: Opened, effect: StoreEffect) -> Any:
    """Ask until the store can be asked."""
    async with asyncio.timeout(PATIENCE_S):
        while isinstance(answer := await opened.ask(effect), StoreUnavailable):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return answer


async def refused(opened: Opened, effect: StoreEffect) -> str:
    """Ask until the store can't be asked; return why."""
    async with asyncio.timeout(PATIENCE_S):
        while not isinstance(answer := await opened.ask(effect), StoreUnavailable):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return answer.reason


@asynccontextmanager
async def opened_memory() -> AsyncIterator[Opened]:
    yield Opened(ProcessMemory())


@asynccontextmanager
async def opened_file(
    path: Path, *, keys: tuple[bytes, ...] = (KEY,), now: Any = None
) -> AsyncIterator[Opened]:
    said: list[str] = []
    file = SqliteFile(path=path, seal=Seal(keys), now=now or SteadyClock())
    store = SqliteStore(file, say=said.append)
    store.start()
    try:
        yield Opened(store, said)
    finally:
        await store.close()


@asynccontextmanager
async def opened_server(
    port: int, *, keys: tuple[bytes, ...] = (KEY,), **address: Any
) -> AsyncIterator[Opened]:
    said: list[str] = []
    place = RedisAddress(host=LOOPBACK, port=port, **address)
    store = RedisStore(place, Seal(keys), say=said.append)
    store.start()
    try:
        yield Opened(store, said)
    finally:
        await store.close()


def redis_program() -> str:
    """Return a server of either name, installing one where we may."""
    valkey = debian.path_of("valkey-server")
    return valkey or debian.need("redis-server", "redis-server")


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind((LOOPBACK, 0))
        port: int = sock.getsockname()[1]
        return port


@dataclass
class RedisProcess:
    """A server of the tests' own."""

    port: int
    process: subprocess.Popen[bytes]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def running_redis(folder: Path, *options: str, port: int = 0) -> Iterator[RedisProcess]:
    """Run a server that keeps nothing on disk."""
    running = started_redis(folder, options, port or free_port())
    for _ in range(3):
        if port or running.process.poll() is None:
            break
        # A port that was free may be another test's by now.
        running = started_redis(folder, options, free_port())
    if running.process.poll() is not None:
        pytest.fail(f"the server ended with {running.process.returncode}")
    try:
        yield running
    finally:
        running.kill()


def started_redis(folder: Path, options: Iterable[str], port: int) -> RedisProcess:
    """Start a server and wait until it listens itself, or has ended."""
    command = [redis_program(), "--port", str(port), "--bind", LOOPBACK, "--save", ""]
    quiet = ["--dir", str(folder), "--loglevel", "warning"]
    # Whoever answers on the port may be another test's server: the last place where a server
    # listens is this one. A path in the test's own folder may be too long for a socket.
    with tempfile.TemporaryDirectory() as short:
        listens = Path(short, "redis")
        process = subprocess.Popen(
            [*command, *quiet, *options, "--unixsocket", str(listens)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + PATIENCE_S
        while process.poll() is None and not listens.exists():
            if time.monotonic() > end:
                process.kill()
                pytest.fail("the server does not listen")
            time.sleep(0.01)
    return RedisProcess(port, process)
