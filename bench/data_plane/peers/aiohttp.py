"""The proxy that one writes on an afternoon with aiohttp: `bench/aiohttp_proxy.py`."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.data_plane.contender import Contender
from bench.data_plane.site import Site

SCRIPT = Path(__file__).parents[2] / "aiohttp_proxy.py"


def command(program: str, site: Site) -> list[str]:
    """Return how it is started."""
    return [
        program, str(SCRIPT), str(site.port), str(site.upstream), str(site.tls_port),
        str(site.certificate.chain), str(site.certificate.private_key),
    ]  # fmt: skip


CONTENDERS = (
    Contender(
        proxy="aiohttp",
        program=lambda: sys.executable,
        command=command,
        version=("-c", "import aiohttp; print(aiohttp.__version__)"),
    ),
)
