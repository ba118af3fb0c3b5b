"""Runs the data plane as a process: `python -m tests.proxy.rig_process UPSTREAM_PORT [POLICY]`."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from pathlib import Path

import uvloop

from proxy.deadlines import Deadlines
from proxy.downstream import DownstreamProtocol
from proxy.endpoint_table import EndpointTable
from proxy.service import Listener, Runtime, Service
from proxy.trusted_proxies import TrustedProxies
from proxy.upstream_pool import UpstreamPool
from tests import exchanges
from tests.proxy.rig import LOOPBACK, served


async def main(upstream_port: int, rules: str, port: int) -> None:
    deadlines = Deadlines()
    service = Service(
        runtime=Runtime(
            endpoints=EndpointTable([], catch_all=served(upstream_port, rules)),
            trusted_proxies=TrustedProxies(),
            surroundings=exchanges.surroundings(now_ns=time.time_ns),
        ),
        pool=UpstreamPool(deadlines),
        completed=lambda _: None,
        now_ns=time.time_ns,
        deadlines=deadlines,
    )
    server = await asyncio.get_running_loop().create_server(
        lambda: DownstreamProtocol(service, Listener(host=LOOPBACK, port=0)), LOOPBACK, port
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    gc.freeze()
    await server.serve_forever()


if __name__ == "__main__":
    given = sys.argv[2] if len(sys.argv) > 2 else ""
    text = Path(given).read_text(encoding="utf-8") if given else ""
    uvloop.run(main(int(sys.argv[1]), text, int(sys.argv[3]) if len(sys.argv) > 3 else 0))
