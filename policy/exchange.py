"""One request with its connection and, later, its response: all that a policy can see or change.

What is made for every request has a constructor of its own: that of a dataclass takes twice as
long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from policy.certificate import NO_CERTIFICATE, Certificate
from policy.fields import Fields
from policy.phase import Phase
from policy.surroundings import Surroundings
from policy.url import Url

ReadCertificate: TypeAlias = Callable[[], Certificate]


def no_certificate() -> Certificate:
    """Read the certificate of who showed none: all its fields are empty."""
    return NO_CERTIFICATE


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSession:
    """What the TLS handshake with the client settled; "" where the library does not tell.

    Certificates are read when somebody asks for them, as hardly any policy does.
    """

    version: str = ""
    cipher_suite: str = ""
    sni: str = ""
    negotiated_alpn: str = ""
    session_resumed: bool = False
    read_client: ReadCertificate = no_certificate
    read_server: ReadCertificate = no_certificate

    @property
    def client(self) -> Certificate:
        """The certificate that the client showed."""
        return self.read_client()

    @property
    def server(self) -> Certificate:
        """The certificate that we showed."""
        return self.read_server()


@dataclass(slots=True, kw_only=True)
class Connection:
    """One accepted connection. Addresses are canonical text, IPv4-mapped forms unmapped.

    `client_ip` is the client that a trusted proxy names, else the socket peer; `peer_ip` is
    always the socket peer. Times are nanoseconds since the epoch.
    """

    client_ip: str
    client_port: int
    server_ip: str
    server_port: int
    started_ns: int
    peer_ip: str = ""
    server_region: str = ""
    tls: TlsSession | None = None
    bytes_in: int = 0
    bytes_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The public face of one service, as policies see it (language spec, section 3.7).

    `keeps_encoded_slashes` lets `%2F` stand in paths, where it separates nothing.
    """

    id: str
    name: str
    url: str
    protocol: str
    host: str
    port: int
    keeps_encoded_slashes: bool = False


# Nearly no message has trailers. Who finds some gives the message fields of its own.
NO_FIELDS = Fields()
NO_NAMES: frozenset[str] = frozenset()


class Request:
    """The request as it will reach the upstream: actions change it in place.

    `withheld` are lower-case names of fields that policies can read, or the proxy would write,
    but that stay away from the upstream. `received_url` is None until a rewrite replaces `url`.
    """

    __slots__ = (
        "body_received_ns", "headers", "method", "received_ns", "received_url", "trailers", "url",
        "version", "withheld",
    )  # fmt: skip

    def __init__(
        self, method: str, version: str, url: Url, headers: Fields, received_ns: int
    ) -> None:
        self.method = method
        self.version = version
        self.url = url
        self.headers = headers
        self.received_ns = received_ns
        self.trailers = NO_FIELDS
        self.body_received_ns: int | None = None
        self.withheld: frozenset[str] = NO_NAMES
        self.received_url: Url | None = None

    @property
    def host(self) -> str:
        """The `Host` field, else the URL's authority."""
        return self.headers.first("host") or self.url.authority

    @property
    def user_agent(self) -> str:
        """The `User-Agent` field, "" without one."""
        return self.headers.first("user-agent") or ""

    @property
    def public_url(self) -> Url:
        """The URL that the client asked for, whatever rewrites made of it."""
        return self.received_url or self.url


class Response:
    """The response as it will reach the client: actions change it in place."""

    __slots__ = ("headers", "reason", "status_code", "trailers")

    def __init__(self, status_code: int, headers: Fields, reason: str = "") -> None:
        self.status_code = status_code
        self.headers = headers
        self.reason = reason
        self.trailers = NO_FIELDS


class Check(NamedTuple):
    """One thing that an action looked at, for whoever asks why it decided as it did."""

    subject: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a login decided about a request, for its completion event (language spec, 6.5).

    `kind` is the name that events have for this sort of login, `client_id` what the provider calls
    us. The user is "" where nobody is logged in.
    """

    kind: str = "oauth"
    client_id: str
    is_allowed: bool = False
    user_id: str = ""
    user_name: str = ""


class Exchange:
    """The only mutable thing on a request's way through the house.

    `results` holds the last result of each action by namespace, for the whole connection
    (language spec, section 3.12); `vars` lives for one phase; `logs` and `warnings` go into the
    completion event. `checks` collects what actions looked at; None when nobody wants to know.
    `own_cookies` are those that the proxy itself has set: neither policies nor the upstream see
    them; None before they are set apart. `reference` is what a person can quote from a page of
    ours, "" if none was shown; `login` is what the last login decided. `admitted_until_ns` is how
    long what the actions decided holds for an open stream, None for as long as it lasts.
    `records` are those in the store that it rests on, by kind and key.
    `is_readmission` tells that the request of an open stream is decided once more: it was counted,
    and what is good for one use was used, when it came.
    """

    __slots__ = (
        "admitted_until_ns", "checks", "computed", "connection", "endpoint", "is_readmission",
        "login", "logs", "own_cookies", "phase", "records", "reference", "request", "response",
        "results", "surroundings", "vars", "warnings",
    )  # fmt: skip

    def __init__(
        self,
        connection: Connection,
        endpoint: Endpoint,
        surroundings: Surroundings,
        request: Request | None = None,
        results: dict[str, Any] | None = None,
        *,
        response: Response | None = None,
        phase: Phase = Phase.ON_TCP_CONNECT,
        is_readmission: bool = False,
    ) -> None:
        """Begin; `results` are those of earlier phases, None for none yet."""
        self.connection = connection
        self.endpoint = endpoint
        self.surroundings = surroundings
        self.request = request
        self.response = response
        self.phase = phase
        self.results: dict[str, Any] = {} if results is None else results
        self.vars: dict[str, Any] = {}
        self.logs: list[dict[str, Any]] = []
        self.warnings: list[str] = []
        self.checks: list[Check] | None = None
        self.admitted_until_ns: int | None = None
        self.records: tuple[tuple[str, str], ...] = ()
        self.is_readmission = is_readmission
        self.own_cookies: Mapping[str, tuple[str, ...]] | None = None
        self.reference = ""
        self.login: Login | None = None
        # The computed variables of policy.variables, dropped whenever the request or response
        # changes, so that later expressions see what earlier actions did.
        self.computed: Any = None

    @property
    def exchange(self) -> Exchange:
        """Itself: in the place of an activation, for expressions that read nothing else of it."""
        return self

    def keep_result(self, namespace: str, result: Any) -> None:
        """Take the result of an action's run in place of its last one."""
        self.results[namespace] = result

    def admit_until(self, until_ns: int) -> None:
        """Take note of when a decision ends to hold; the earliest counts."""
        if self.admitted_until_ns is None or until_ns < self.admitted_until_ns:
            self.admitted_until_ns = until_ns

    def changed(self) -> None:
        """Forget computed variables. Every action that edits the request or response calls it."""
        self.computed = None
