"""What every connection of a running proxy shares: the current configuration, clocks, counters.

A `Runtime` is one loaded configuration and never changes; a reload puts a new one into
`Service.runtime`. A request keeps the runtime it started with.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from policy.effect import GetDocument
from policy.exchange import ReadCertificate, no_certificate
from policy.surroundings import Surroundings
from proxy.action_counts import ActionCounts
from proxy.calculator import Calculator
from proxy.completion import Completion
from proxy.deadlines import Deadlines
from proxy.documents import Documents
from proxy.endpoint_table import EndpointTable
from proxy.fetcher import Fetcher
from proxy.http1.grammar import FieldLines
from proxy.limits import Limits
from proxy.message import HttpDate
from proxy.open_streams import OpenStreams
from proxy.single_flight import SingleFlight
from proxy.store.interface import Store
from proxy.store.memory import ProcessMemory
from proxy.trusted_proxies import TrustedProxies
from proxy.upstream_pool import UpstreamPool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One address that accepts connections."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    certificate: ReadCertificate = no_certificate
    proxy_protocol: bool = False

    @property
    def scheme(self) -> str:
        """The scheme that requests on this listener have."""
        return "https" if self.tls else "http"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One loaded configuration. `documents` are those that its policies name by fixed URLs."""

    endpoints: EndpointTable
    trusted_proxies: TrustedProxies
    surroundings: Surroundings
    documents: tuple[GetDocument, ...] = ()
    limits: Limits = field(default_factory=Limits)
    server_region: str = ""


class CompletionSink(Protocol):
    """Takes the record of a finished request; must not block and must not raise."""

    def __call__(self, completion: Completion, /) -> None: ...


@dataclass(slots=True, kw_only=True)
class Service:
    """The running proxy, as each connection sees it.

    `completed` is None when nobody listens. `date` gives the present time as a Date value.
    """

    runtime: Runtime
    pool: UpstreamPool
    completed: CompletionSink | None
    now_ns: Callable[[], int]
    deadlines: Deadlines
    stopping: bool = False
    fetcher: Fetcher = field(default_factory=Fetcher)
    store: Store = field(default_factory=ProcessMemory)
    single_flight: SingleFlight = field(default_factory=SingleFlight, init=False)
    counts: ActionCounts = field(default_factory=ActionCounts, init=False)
    calculator: Calculator = field(default_factory=Calculator, init=False)
    documents: Documents = field(init=False)
    streams: OpenStreams = field(default_factory=OpenStreams, init=False)
    field_lines: FieldLines = field(default_factory=FieldLines, init=False)
    date: Callable[[], str] = field(init=False)

    def __post_init__(self) -> None:
        # Kept at hand: what a request would make of a method anew.
        self.date = HttpDate(self.now_ns).now
        self.documents = Documents(self.fetcher.fetch, now=time.monotonic)
        self.use(self.runtime)

    def use(self, runtime: Runtime) -> None:
        """Decide the next request by another configuration; documents at hand serve it too."""
        surroundings = replace(
            runtime.surroundings,
            document_at_hand=self.documents.at_hand,
            record_at_hand=self.store.at_hand,
            count=self.counts.add,
        )
        self.runtime = replace(runtime, surroundings=surroundings)

    def report(self, completion: Completion) -> None:
        """Pass the record of a finished request on, if anybody listens."""
        if self.completed is not None:
            self.completed(completion)
