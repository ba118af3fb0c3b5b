"""A proxy that runs: how it is started, and what it does with a few requests before the load."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.data_plane.accounting import PROXY_CORE, memory_mb
from bench.data_plane.contender import NO_RULES, Contender
from bench.data_plane.site import LOOPBACK, Site

START_TIMEOUT_S = 30.0
SETTLE_S = 0.5
HOMES = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
PROBE = (
    b"%s HTTP/1.1\r\nHost: app.example.com\r\nUser-Agent: %s\r\nSec-Fetch-Site: %s\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)
BROWSER, SAME = b"Mozilla/5.0 Firefox/140.0", b"same-origin"
# What every set of rules of ours refuses, and so must the peers that claim to do the same.
REFUSED = {
    "ten rules": (
        (b"GET /.git/config", BROWSER, SAME),
        (b"GET /admin/users", BROWSER, SAME),
        (b"DELETE /api/orders/1", BROWSER, SAME),
        (b"GET /api/orders/1", b"sqlmap/1.8", SAME),
        (b"POST /api/orders/1", BROWSER, b"cross-site"),
    ),
    "fifty rules": (
        (b"GET /internal/8/secret", BROWSER, SAME),
        (b"PUT /v9/orders", BROWSER, SAME),
        (b"GET /api/orders/1", b"bot-10/1.0", SAME),
    ),
}


class NotServingError(Exception):
    """A proxy that does not do what it is here for; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A proxy that answers. `start_s` is from the start of its process to its first answer."""

    contender: Contender
    site: Site
    pid: int
    version: str
    start_s: float
    idle_mb: float


@asynccontextmanager
async def running(contender: Contender, site: Site) -> AsyncIterator[Running]:
    """Run a proxy on its core until the block ends. Raises MissingError and NotServingError."""
    program = contender.program()
    version = contender.read_version()  # which also has its files at hand for the start
    command = ["taskset", "-c", str(PROXY_CORE), *contender.command(program, site)]
    log = site.home / "log"
    began = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs yet
            command, stdout=output, stderr=subprocess.STDOUT, cwd=site.home,
            env={**os.environ, **dict.fromkeys(HOMES, str(site.home))},
        )  # fmt: skip
    try:
        await first_answer(site.port, process)
        start_s = time.perf_counter() - began
        await check_rules(contender, site.port)
        await asyncio.sleep(SETTLE_S)
        yield Running(
            contender=contender, site=site, pid=process.pid, version=version,
            start_s=start_s, idle_mb=memory_mb(process.pid),
        )  # fmt: skip
    except NotServingError as error:
        text = log.read_text("utf-8", "replace")[-1000:]
        raise NotServingError(f"{contender.name}: {error}\n{text}") from None
    finally:
        await stop(process)


async def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process, politely at first."""
    process.terminate()
    try:
        await asyncio.to_thread(process.wait, 5)
    except subprocess.TimeoutExpired:
        process.kill()
        await asyncio.to_thread(process.wait)


async def first_answer(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a proxy answers with 200."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise NotServingError(f"ended with {process.returncode}")
        try:
            answer = await ask(port, b"GET /api/orders/1", BROWSER, SAME)
        except OSError:
            answer = b""
        if answer.startswith(b"HTTP/1.1 200"):
            return
        await asyncio.sleep(0.005)
    raise NotServingError("does not answer")


async def ask(port: int, line: bytes, agent: bytes, site: bytes) -> bytes:
    """Return the whole answer to one request."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        writer.write(PROBE % (line, agent, site))
        return await asyncio.wait_for(reader.read(), START_TIMEOUT_S)
    finally:
        writer.close()


async def check_rules(contender: Contender, port: int) -> None:
    """See that a proxy with rules does what its rules say: who skips work must not win."""
    if contender.rules == NO_RULES:
        return
    for line, agent, site in REFUSED[contender.rules]:
        answer = await ask(port, line, agent, site)
        if answer[9:11] != b"40":
            raise NotServingError(f"{line!r} by {agent!r} is answered with {answer[:40]!r}")
    answer = (await ask(port, b"GET /api/mirror", BROWSER, SAME)).lower()
    head, _, mirrored = answer.partition(b"\r\n\r\n")
    if b"origin/" in head:
        raise NotServingError("the server's version is not removed")
    if b"\r\nx-guarded-by: penstock" not in mirrored:
        raise NotServingError("the header for the upstream is not set")
