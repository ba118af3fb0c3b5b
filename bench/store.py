"""What a record costs in each store: processor time of this process, and how long one takes.

A record is about what a session is: 2 KB, found by its key and by one group. Reads find a record
that has not changed since, as most do; `new` ones are decrypted and decoded first. Writes come 32
at a time, as they do from several clients. The server runs on this machine; its own time is not
counted.

    python bench/store.py [--reads N] [--writes N] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvloop

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.data_plane.site import free_port
from policy.store import Kind, StoreEffect, StoreGet, StorePut, StoreUnavailable
from proxy.store.interface import Store
from proxy.store.memory import ProcessMemory
from proxy.store.redis import RedisStore
from proxy.store.redis_server import RedisAddress
from proxy.store.sealed import Seal
from proxy.store.shared_memory import SharedMemory
from proxy.store.sqlite import SqliteStore
from proxy.store.sqlite_file import SqliteFile, SteadyClock

VALUE = {"subject": "auth0|0123456789", "tokens": ["x" * 900, "y" * 900], "at": 1_772_366_400}
KIND: Kind[dict[str, Any]] = Kind(
    name="session",
    encode=lambda value: json.dumps(value).encode(),
    decode=json.loads,
    max_entries=100_000,
    max_per_group=100,
)
KEYS = (bytes(32),)
TOGETHER = 32
ROUNDS = 5
# What is compared with.
BASE = "memory"


def silent(_message: str) -> None:
    """Say nothing: a store that fails is noticed by its answers."""


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[Store]:
    store.start()
    try:
        effect = StoreGet(kind=KIND, key="0")
        while isinstance(await asked(store, effect), StoreUnavailable):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        yield store
    finally:
        await store.close()


async def asked(store: Store, effect: StoreEffect) -> Any:
    answer = store.answer(effect)
    return await answer if isinstance(answer, asyncio.Future) else answer


async def measured(
    work: Callable[[], Any], count: int, *, first: Callable[[], Any] | None = None
) -> tuple[float, float]:
    """Return microseconds of processor time and of waiting, for one of `count` pieces of work.

    `first` is done before each round and not counted.
    """
    rounds = []
    for _ in range(ROUNDS):
        if first is not None:
            await first()
        cpu, clock = time.process_time(), time.perf_counter()
        await work()
        rounds.append((time.process_time() - cpu, time.perf_counter() - clock))
    cpus, clocks = zip(*rounds, strict=True)
    return statistics.median(cpus) / count * 1e6, statistics.median(clocks) / count * 1e6


async def run(store: Store, reads: int, writes: int) -> dict[str, tuple[float, float]]:
    """Measure one store."""
    puts = [
        StorePut(kind=KIND, key=str(number), value=VALUE, ttl_s=600, groups=(f"u{number % 100}",))
        for number in range(writes)
    ]
    one = StoreGet(kind=KIND, key="0")
    new = [StoreGet(kind=KIND, key=str(number)) for number in range(writes)]

    async def write() -> None:
        for first in range(0, writes, TOGETHER):
            batch = puts[first : first + TOGETHER]
            await asyncio.gather(*(asked(store, each) for each in batch))

    async def read() -> None:
        for _ in range(reads):
            await asked(store, one)

    async def read_new() -> None:
        for each in new:
            await asked(store, each)

    await write()
    return {
        "read": await measured(read, reads),
        # Written anew each time, so that none is known.
        "new": await measured(read_new, writes, first=write),
        "write": await measured(write, writes),
    }


async def main(reads: int, writes: int) -> dict[str, dict[str, tuple[float, float]]]:
    """Measure all stores that there are on this machine."""
    found = {}
    async with opened(ProcessMemory()) as store:
        found[BASE] = await run(store, reads, writes)
    shared = SharedMemory.make()
    async with opened(SqliteStore(shared.file(), say=silent)) as store:
        found["memory of several workers"] = await run(store, reads, writes)
    shared.remove()
    with tempfile.TemporaryDirectory() as folder:
        file = SqliteFile(path=Path(folder) / "s.db", seal=Seal(KEYS), now=SteadyClock())
        async with opened(SqliteStore(file, say=silent)) as store:
            found["SQLite file"] = await run(store, reads, writes)
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        sys.stderr.write("neither valkey-server nor redis-server is installed: left out\n")
        return found
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: ASYNC220 - once
    try:
        address = RedisAddress(host="127.0.0.1", port=port)
        async with opened(RedisStore(address, Seal(KEYS), say=silent)) as store:
            found[Path(program).name] = await run(store, reads, writes)
    finally:
        server.kill()
        server.wait()
    return found


def table(found: dict[str, dict[str, tuple[float, float]]]) -> str:
    """Lay the figures out."""
    head = ("read", "new", "write")
    titles = "".join(f"{each:>16}" for each in head)
    lines = [f"{'microseconds: cpu (waiting)':28}{titles}{'read/memory':>13}"]
    base = found[BASE]["read"][0]
    for name, figures in found.items():
        cells = "".join(f"{f'{cpu:.1f} ({clock:.0f})':>16}" for cpu, clock in figures.values())
        lines.append(f"{name:28}{cells}{figures['read'][0] / base:>12.0f}x")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reads", type=int, default=5000)
    parser.add_argument("--writes", type=int, default=2048)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    figures = uvloop.run(main(given.reads, given.writes))
    sys.stdout.write(table(figures) + "\n")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
