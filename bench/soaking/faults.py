"""What happens to the proxy while it is under load: new policies, and an upstream that dies."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

from bench.soaking.penstock import Penstock
from bench.soaking.record import Outage, Record

UPSTREAM = Path(__file__).parent / "upstream.py"
RELOAD_EVERY_S = 5.0
OUTAGE_EVERY_S = 20.0
OUTAGE_S = 1.0


async def start_upstream(port: int) -> asyncio.subprocess.Process:
    """Start the upstream; return when it listens."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(UPSTREAM), str(port), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    return process


async def kill_upstream(record: Record, port: int) -> None:
    """Let the upstream die every now and then, and come back a second later."""
    process = await start_upstream(port)
    try:
        while True:
            await asyncio.sleep(OUTAGE_EVERY_S)
            outage = Outage(time.monotonic())
            record.outages.append(outage)
            process.kill()
            await process.wait()
            await asyncio.sleep(OUTAGE_S)
            process = await start_upstream(port)
            outage.end = time.monotonic()
    finally:
        process.kill()


async def change_policy(proxy: Penstock) -> None:
    """Write a new policy every few seconds."""
    for number in count(1):
        await asyncio.sleep(RELOAD_EVERY_S)
        proxy.change_policy(number)
