"""Everyone who takes part, in the order of the tables."""

from __future__ import annotations

from bench.data_plane.peers import (
    aiohttp,
    apache,
    caddy,
    envoy,
    haproxy,
    mitmproxy,
    nginx,
    penstock,
)  # fmt: skip

CONTENDERS = (
    *penstock.CONTENDERS,
    *aiohttp.CONTENDERS,
    *envoy.CONTENDERS,
    *caddy.CONTENDERS,
    *nginx.CONTENDERS,
    *haproxy.CONTENDERS,
    *apache.CONTENDERS,
    *mitmproxy.CONTENDERS,
)
