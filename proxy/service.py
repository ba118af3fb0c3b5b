"""What every connection of a running proxy shares: the current configuration, clocks, counters.

A `Runtime` is one loaded configuration and never changes; a reload puts a new one into
`Service.runtime`. A request keeps the runtime it started with.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from policy.engine import Policy
from policy.exchange import Endpoint

if TYPE_CHECKING:
    from proxy.completion import Completion
    from proxy.endpoint_table import EndpointTable
    from proxy.trusted_proxies import TrustedProxies
    from proxy.upstream_pool import UpstreamPool


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what one client or upstream may cost. Times in seconds, sizes in bytes."""

    first_byte_timeout_s: float = 30.0
    head_timeout_s: float = 20.0
    body_idle_timeout_s: float = 60.0
    keep_alive_timeout_s: float = 75.0
    upstream_connect_timeout_s: float = 10.0
    upstream_head_timeout_s: float = 300.0
    upstream_idle_timeout_s: float = 300.0
    stop_timeout_s: float = 30.0
    max_request_line_bytes: int = 8192
    max_field_line_bytes: int = 8192
    max_fields: int = 100
    max_head_bytes: int = 65536
    max_buffered_body_bytes: int = 10 * 1024 * 1024
    max_connections: int = 10_000
    max_connections_per_address: int = 1_000
    max_upstream_idle_connections: int = 100


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One address that accepts connections."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    proxy_protocol: bool = False

    @property
    def scheme(self) -> str:
        """The scheme that requests on this listener have."""
        return "https" if self.tls else "http"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One loaded configuration."""

    endpoints: EndpointTable
    trusted_proxies: TrustedProxies
    limits: Limits = field(default_factory=Limits)
    server_region: str = ""


class CompletionSink(Protocol):
    """Takes the record of a finished request; must not block and must not raise."""

    def __call__(self, completion: Completion, /) -> None: ...


@dataclass(slots=True, kw_only=True)
class Service:
    """The running proxy, as each connection sees it."""

    runtime: Runtime
    pool: UpstreamPool
    completed: CompletionSink
    now_ns: Callable[[], int]
    stopping: bool = False
