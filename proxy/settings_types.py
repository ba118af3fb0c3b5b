"""The values of `penstock.yml` that are more than text: addresses, URLs, switches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from policy.config_types import FromScalar, Parsed, refusal
from policy.net import AddressError, Network, parse_network
from policy.url import DEFAULT_PORTS, UrlError, parse_authority, parse_url

WILDCARD = "*."
INTERNAL_SUFFIX = ".internal"
REDIS_PORT = 6379


class SocketAddress(NamedTuple):
    """A host and port to listen on. The port 0 lets the system choose one."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class PublicUrl(NamedTuple):
    """The URL that an endpoint answers for: scheme, host (`*.` for any below) and port."""

    text: str
    scheme: str
    host: str
    port: int

    @property
    def is_internal(self) -> bool:
        """Tell whether no client reaches this endpoint, only another endpoint's policy."""
        return self.host.endswith(INTERNAL_SUFFIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePlace:
    """Where records are kept: here, in a file, or on a server that speaks Redis' protocol.

    `path` is as it was written, of a file only; the other fields are of a server only.
    """

    kind: Literal["memory", "sqlite", "redis"] = "memory"
    path: str = ""
    host: str = ""
    port: int = 0
    database: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    is_tls: bool = False


class UpstreamTarget(NamedTuple):
    """Where an upstream listens. `base_path` is "" or a path without slash at its end."""

    scheme: str
    host: str
    port: int
    base_path: str


def read_socket_address(text: str) -> SocketAddress:
    """Read `HOST:PORT`; raises a refusal."""
    host, colon, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not colon or not bare or not _is_port(port, lowest=0) or (":" in bare and bare == host):
        raise refusal(
            "address-invalid",
            f"{text!r} is not an address to listen on",
            hint="write HOST:PORT, for example 127.0.0.1:4000 or [::1]:4000",
        )
    return SocketAddress(bare, int(port))


def read_public_url(text: str) -> PublicUrl:
    """Read an endpoint's URL, the scheme https where none is written; raises a refusal."""
    scheme, separator, rest = text.rpartition("://")
    scheme = scheme.lower() if separator else "https"
    if scheme in {"tcp", "tls"}:
        raise refusal(
            "not-supported",
            f"{scheme} endpoints are not supported yet",
            hint="use a URL that starts with http:// or https://",
        )
    place = rest.removesuffix("/")
    wildcard = WILDCARD if place.startswith(WILDCARD) else ""
    try:
        authority = parse_authority(place.removeprefix(wildcard))
    except UrlError:
        authority = None
    if authority is None or scheme not in DEFAULT_PORTS:
        raise refusal(
            "endpoint-url-invalid",
            f"{text!r} is no URL that an endpoint can have",
            reference="ERR_NGROK_2226",
            hint="write scheme and host without path: https://app.example.com, *.example.com",
        )
    return PublicUrl(
        text=f"{scheme}://{place.lower()}",
        scheme=scheme,
        host=f"{wildcard}{authority.host}",
        port=authority.port or DEFAULT_PORTS[scheme],
    )


def read_upstream(text: str) -> UpstreamTarget:
    """Read an upstream as the agent does: `8080`, `host:8080` or a URL; raises a refusal."""
    if _is_port(text, lowest=1):
        return UpstreamTarget("http", "localhost", int(text), "")
    try:
        url = parse_url(text if "://" in text else f"http://{text}")
    except UrlError:
        url = None
    # A number that is no port would else be taken for a host of that name.
    if (
        text.isdecimal()
        or url is None
        or url.scheme not in DEFAULT_PORTS
        or url.user_password
        or url.query
    ):
        raise refusal(
            "upstream-url-invalid",
            f"{text!r} is no upstream",
            reference="ERR_NGROK_2226",
            hint="write a port (8080), a host and port (app:8080) or an http:// or https:// URL",
        )
    return UpstreamTarget(url.scheme, url.host, url.effective_port, url.path.rstrip("/"))


def read_store(text: str) -> StorePlace:
    """Read `memory`, `sqlite:PATH` or a redis URL; raises a refusal, which shows no password."""
    if text == "memory":
        return StorePlace()
    scheme, colon, rest = text.partition(":")
    if scheme == "sqlite" and colon and rest and not rest.startswith("//"):
        return StorePlace(kind="sqlite", path=rest)
    place = _redis_place(text) if scheme in {"redis", "rediss"} else None
    if place is None:
        shown = f"{scheme}:" if colon else repr(text)
        raise refusal(
            "store-url-invalid",
            f"{shown} is no place to keep records",
            hint="write memory, sqlite:PATH, redis://HOST:PORT/DATABASE or rediss://...",
        )
    return place


def _redis_place(text: str) -> StorePlace | None:
    try:
        parts = urlsplit(text)
        port = parts.port or REDIS_PORT
    except ValueError:
        return None
    database = parts.path.removeprefix("/") or "0"
    is_number = database.isascii() and database.isdecimal() and len(database) <= 4
    if not parts.hostname or not is_number or parts.query or parts.fragment:
        return None
    return StorePlace(
        kind="redis",
        host=parts.hostname,
        port=port,
        database=int(database),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        is_tls=parts.scheme == "rediss",
    )


def _is_port(digits: str, *, lowest: int) -> bool:
    plain = digits.isascii() and digits.isdecimal() and len(digits) <= 5
    return plain and lowest <= int(digits) <= 65535


def read_switch(text: str) -> bool:
    """Read `on` and `off`, which are text in YAML 1.2; raises a refusal."""
    words = {"on": True, "true": True, "off": False, "false": False}
    if text not in words:
        raise refusal("switch-invalid", f"{text!r} is neither on nor off")
    return words[text]


def read_network(text: str) -> Network:
    """Read one network or address; raises a refusal."""
    try:
        return parse_network(text)
    except AddressError as error:
        raise refusal(
            "network-invalid", str(error), reference="ERR_NGROK_2217", hint=error.hint
        ) from None


Switch = Annotated[bool, FromScalar(), Parsed(read_switch, "on or off")]
ListenAddress = Annotated[SocketAddress, Parsed(read_socket_address, "HOST:PORT")]
EndpointUrl = Annotated[PublicUrl, Parsed(read_public_url, "URL of an endpoint")]
UpstreamUrl = Annotated[UpstreamTarget, FromScalar(), Parsed(read_upstream, "port, host:port, URL")]
StoreUrl = Annotated[StorePlace, Parsed(read_store, "memory, sqlite:PATH, redis URL")]
CidrText = Annotated[Network, Parsed(read_network, "network (CIDR)")]
