"""A gigabyte each way through a proxy process of its own, under a memory meter."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.proxy.rig import LOOPBACK, OK, PATIENCE_S, origin, request

SIZE = 1 << 30
PIECE = b"x" * (1 << 18)
MAX_GROWTH_BYTES = 30 * 1024 * 1024


def resident(pid: int) -> int:
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@asynccontextmanager
async def process(upstream_port: int) -> AsyncIterator[tuple[int, int]]:
    """Run a proxy in front of a port; gives its pid and its own port."""
    command = [sys.executable, "-m", "tests.proxy.rig_process", str(upstream_port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as running:  # noqa: ASYNC220
        try:
            assert running.stdout is not None
            port = await asyncio.to_thread(running.stdout.readline)
            yield running.pid, int(port)
        finally:
            running.terminate()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's accounting")
async def test_a_gigabyte_down_and_up_leaves_memory_flat() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            if head.startswith(b"GET"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
                for _ in range(SIZE // len(PIECE)):
                    writer.write(PIECE)
                    await writer.drain()
            elif head.startswith(b"POST"):
                left = SIZE
                while left:
                    left -= len(await reader.read(1 << 18))
                writer.write(OK)
            else:
                writer.write(OK)

    async with origin(script=script) as upstream, process(upstream.port) as (pid, port):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(request("OPTIONS"))
        await asyncio.wait_for(reader.readuntil(b"ok"), 6 * PATIENCE_S)
        before = peak = resident(pid)
        writer.write(request("GET"))
        await reader.readuntil(b"\r\n\r\n")
        left = SIZE
        while left:
            left -= len(await reader.read(1 << 18))
            peak = max(peak, resident(pid))
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % SIZE)
        for _ in range(SIZE // len(PIECE)):
            writer.write(PIECE)
            await writer.drain()
            peak = max(peak, resident(pid))
        await asyncio.wait_for(reader.readuntil(b"ok"), 6 * PATIENCE_S)
        writer.close()
    assert peak - before < MAX_GROWTH_BYTES
