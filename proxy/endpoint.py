"""One endpoint as it is served: its public face, its compiled policy, its upstream."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from policy.compiled import Policy
from policy.exchange import Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamAddress:
    """Where an endpoint's requests go. `base_path` is "" or a path without trailing slash."""

    scheme: str
    host: str
    port: int
    base_path: str = ""
    tls: ssl.SSLContext | None = None

    @property
    def authority(self) -> str:
        """`host:port` as written in logs and error messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedEndpoint:
    """One endpoint with its compiled policy and its upstream; None means it must terminate."""

    endpoint: Endpoint
    policy: Policy
    upstream: UpstreamAddress | None
