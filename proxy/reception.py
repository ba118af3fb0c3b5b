"""Turns a request head into an exchange with the endpoint that answers for its host."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, NamedTuple

from policy.exchange import Connection, Exchange, Request
from policy.net import parse_address
from policy.url import (
    ENCODED_SLASH,
    HIDDEN,
    Authority,
    Url,
    UrlError,
    parse_authority,
    parse_request_target,
)
from proxy.admission import Admitted, admit
from proxy.client_side import ClientSide
from proxy.completion import Completion
from proxy.endpoint import ServedEndpoint
from proxy.exchange_driver import ExchangeDriver
from proxy.http1.request_head import RequestHead
from proxy.refusal import (
    MISDIRECTED,
    UNKNOWN_HOST,
    Refusal,
    bad_request,
)
from proxy.service import Listener, Runtime, Service
from proxy.trusted_proxies import UNREADABLE, UnreadableForwardedFor
from proxy.upstream_pool import UpstreamPlace
from proxy.websocket import asks_for_websocket, handshake_refusal, websocket_key

SCHEMES = frozenset({"http", "https"})


class Site(NamedTuple):
    """What a Host value leads to under one runtime.

    `place` is None without an upstream. `results` are those of `on_tcp_connect`.
    """

    host: str
    authority: Authority
    runtime: Runtime
    served: ServedEndpoint
    place: UpstreamPlace | None
    results: dict[str, Any]


class ConnectionRefused(Exception):  # noqa: N818 - named for what the policy did
    """`on_tcp_connect` ended the connection: it is closed without an answer."""


class Reception:
    """Receives the requests of one connection."""

    __slots__ = ("_admitted", "_listener", "_service", "_site", "_trusted", "connection")

    def __init__(self, service: Service, listener: Listener, connection: Connection) -> None:
        self._service = service
        self._listener = listener
        self.connection = connection
        # Most requests of a connection are for the same host: found once, then remembered.
        self._site: Site | None = None
        # Who a PROXY header names, else the socket peer: behind a balancer that speaks for its
        # clients on TCP, X-Forwarded-For is the client's own writing.
        self._admitted: dict[str, Admitted] = {}
        self._trusted = service.runtime.trusted_proxies.trusts(connection.client_ip)

    def welcome(self) -> None:
        """Run `on_tcp_connect` where the endpoint is known already; raises ConnectionRefused.

        With several endpoints, the first request for each of them names it.
        """
        only = self._service.runtime.endpoints.only
        if only is not None:
            self._admit(only)

    def receive(self, head: RequestHead, client: ClientSide) -> ExchangeDriver | Refusal:
        """Make the exchange for a request, or say why there is none.

        Raises ConnectionRefused.
        """
        site = self._site
        if site is None or site.host != head.host or site.runtime is not self._service.runtime:
            found = self._find(head.host)
            if isinstance(found, Refusal):
                return found
            site = self._site = found
        try:
            url = parse_request_target(
                head.target,
                scheme=self._scheme(head),
                authority=site.authority,
                method=head.method,
            )
        except UrlError as error:
            kept = self._with_encoded_slashes(head, site)
            if kept is None:
                return bad_request(400, error.reason)
            url = kept
        try:
            connection = self._client(head) if self._trusted else self.connection
        except UnreadableForwardedFor:
            return bad_request(400, UNREADABLE)
        if url.host != site.authority.host or url.port != site.authority.port:
            redirected = self._redirect(head, url)
            if isinstance(redirected, Refusal):
                return redirected
            site = redirected
            if ENCODED_SLASH in url.path and not site.served.endpoint.keeps_encoded_slashes:
                return bad_request(400, HIDDEN)
        key = ""
        if head.upgrade and asks_for_websocket(head):
            refusal = handshake_refusal(head)
            if refusal is not None:
                return refusal
            key = websocket_key(head)
        service, served = self._service, site.served
        # In order, without names: a call with names takes several times as long.
        request = Request(head.method, head.version, url, head.fields, service.now_ns())
        exchange = Exchange(
            connection, served.endpoint, site.runtime.surroundings, request, site.results.copy()
        )
        return ExchangeDriver(service, client, exchange, served, site.place, head, key)

    def _with_encoded_slashes(self, head: RequestHead, site: Site) -> Url | None:
        """Read a target that was refused once more, where its endpoint is less strict."""
        if not site.served.endpoint.keeps_encoded_slashes:
            return None
        with suppress(UrlError):
            return parse_request_target(
                head.target,
                scheme=self._scheme(head),
                authority=site.authority,
                method=head.method,
                keeps_encoded_slashes=True,
            )
        return None

    def refused(self, refusal: Refusal) -> None:
        """Record a request that got no exchange."""
        now_ns = self._service.now_ns()
        self._service.report(
            Completion(
                connection=self.connection,
                status=refusal.status,
                reason=refusal.reason,
                error_code=refusal.error_code,
                started_ns=now_ns,
                ended_ns=now_ns,
            )
        )

    def _find(self, host: str) -> Site | Refusal:
        runtime = self._service.runtime
        try:
            authority = parse_authority(host)
        except UrlError as error:
            return bad_request(400, error.reason)
        tls = self.connection.tls
        if tls is not None and tls.sni and tls.sni != authority.host:
            return MISDIRECTED
        served = runtime.endpoints.find(authority.host)
        if served is None:
            return UNKNOWN_HOST
        place = None
        if served.upstream is not None:
            place = self._service.pool.place(served.upstream, runtime.limits)
        return Site(host, authority, runtime, served, place, self._admit(served))

    def _admit(self, served: ServedEndpoint) -> dict[str, Any]:
        """Run `on_tcp_connect` once per connection and endpoint, and keep its results."""
        admitted = self._admitted.get(served.endpoint.id)
        if admitted is None:
            admitted = admit(self._service, served, self.connection)
            if admitted is None:
                raise ConnectionRefused
            self._admitted[served.endpoint.id] = admitted
        return admitted.results

    def closed(self) -> None:
        """Report the connection's end where `on_tcp_connect` has left something to report."""
        for admitted in self._admitted.values():
            if admitted.record is not None:
                admitted.record.ended_ns = self._service.now_ns()
                self._service.report(admitted.record)

    def _redirect(self, head: RequestHead, url: Url) -> Site | Refusal:
        """Let the host of an absolute target win over the Host field (T-SM-11)."""
        text = Authority(url.host, url.port).text
        head.fields.replace("host", text)
        return self._find(text)

    def _scheme(self, head: RequestHead) -> str:
        if self._trusted:
            # Only the last proxy's own word counts: what stands before it is hearsay.
            for value in reversed(head.fields.all("x-forwarded-proto")):
                scheme = value.rpartition(",")[2].strip().lower()
                return scheme if scheme in SCHEMES else self._listener.scheme
        return self._listener.scheme

    def _client(self, head: RequestHead) -> Connection:
        """Return the connection as seen by the client that a trusted proxy names."""
        lines = head.fields.all("x-forwarded-for")
        client = self._service.runtime.trusted_proxies.client(lines)
        own = self.connection
        if client is None:
            return own
        return Connection(
            client_ip=client.ip,
            client_port=client.port,
            server_ip=own.server_ip,
            server_port=own.server_port,
            started_ns=own.started_ns,
            peer_ip=own.peer_ip,
            server_region=own.server_region,
            tls=own.tls,
            bytes_in=own.bytes_in,
            bytes_out=own.bytes_out,
        )


def plain_connection(transport: asyncio.BaseTransport, service: Service) -> Connection:
    """Describe a connection of which only the socket is known."""
    peer = transport.get_extra_info("peername") or ("", 0)
    own = transport.get_extra_info("sockname") or ("", 0)
    peer_ip = str(parse_address(peer[0]))
    return Connection(
        client_ip=peer_ip,
        client_port=peer[1],
        server_ip=str(parse_address(own[0])),
        server_port=own[1],
        started_ns=service.now_ns(),
        peer_ip=peer_ip,
        server_region=service.runtime.server_region,
    )
