"""One accepted connection, from its socket to its protocol."""

from __future__ import annotations

import asyncio
import socket
import ssl

from policy.exchange import Connection
from policy.net import parse_address
from proxy.completion import Completion
from proxy.downstream import DownstreamProtocol
from proxy.open_connections import OpenConnections
from proxy.proxy_protocol import MalformedProxyHeader
from proxy.proxy_reader import read_proxy_header
from proxy.reception import ConnectionRefused, Reception
from proxy.service import Listener, Service
from proxy.tls import tls_session

TCP_PHASE = "on_tcp_connect"
UNTRUSTED_PROXY_HEADER = "proxy-header-from-untrusted-peer"
MALFORMED_PROXY_HEADER = "proxy-header-malformed"
NO_PROXY_HEADER = "proxy-header-timeout"
TLS_FAILED = "tls-handshake-failed"
TLS_FAILED_CODE = "ERR_NGROK_3002"


class TurnedAway(Exception):  # noqa: N818 - named for what happens to the client
    """The connection is closed without an answer; `reason` is for the log."""

    def __init__(self, reason: str, error_code: str | None = None) -> None:
        self.reason = reason
        self.error_code = error_code
        super().__init__(reason)


class Arrival:
    """A connection that has its place among the open ones and is not served yet."""

    def __init__(
        self,
        service: Service,
        listener: Listener,
        client: socket.socket,
        connections: OpenConnections,
    ) -> None:
        """Take over an accepted, non-blocking socket. Raises OSError when it is gone already."""
        self._service = service
        self._listener = listener
        self._client = client
        self.connections = connections
        peer_ip, peer_port = client.getpeername()[:2]
        server_ip, server_port = client.getsockname()[:2]
        peer = _canonical(peer_ip)
        self.connection = Connection(
            client_ip=peer,
            client_port=peer_port,
            peer_ip=peer,
            server_ip=_canonical(server_ip),
            server_port=server_port,
            started_ns=service.now_ns(),
            server_region=service.runtime.server_region,
        )
        self._has_place = False

    def enter(self) -> bool:
        """Take a place among the open connections; False when there is none left."""
        runtime, peer_ip = self._service.runtime, self.connection.peer_ip
        self._has_place = self.connections.enter(
            peer_ip, runtime.limits, is_trusted=runtime.trusted_proxies.trusts(peer_ip)
        )
        return self._has_place

    def leave(self) -> None:
        """Give the place back; more than once does no harm."""
        if self._has_place:
            self._has_place = False
            self.connections.leave(self.connection.peer_ip)

    async def serve(self) -> None:
        """Bring the connection to its protocol, which then lives on its own."""
        try:
            if self._listener.proxy_protocol:
                await self._ask_proxy()
            await self._hand_over()
        except TurnedAway as refused:
            self._end()
            self._report(refused)
        except ConnectionRefused:
            # The policy's decision, which is on record already.
            self._end()
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        self._client.close()
        self.leave()

    async def _ask_proxy(self) -> None:
        """Learn from the PROXY header who the client is (security T-IP-4)."""
        runtime = self._service.runtime
        if not runtime.trusted_proxies.trusts(self.connection.peer_ip):
            raise TurnedAway(UNTRUSTED_PROXY_HEADER)
        try:
            header = await read_proxy_header(
                self._client, timeout_s=runtime.limits.first_byte_timeout_s
            )
        except MalformedProxyHeader:
            raise TurnedAway(MALFORMED_PROXY_HEADER) from None
        except TimeoutError:
            raise TurnedAway(NO_PROXY_HEADER) from None
        if header.source is not None:
            self.connection.client_ip, self.connection.client_port = header.source

    async def _hand_over(self) -> None:
        reception = Reception(self._service, self._listener, self.connection)
        reception.welcome()
        tls = self._listener.tls
        timeout_s = self._service.runtime.limits.head_timeout_s if tls else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Served(self._service, self._listener, self, reception),
                self._client,
                ssl=tls,
                ssl_handshake_timeout=timeout_s,
            )
        except (OSError, TimeoutError, ssl.SSLError):
            # Not ours to answer for: a scanner, a client without TLS, one that gave up.
            raise TurnedAway(TLS_FAILED, TLS_FAILED_CODE) from None

    def _report(self, refused: TurnedAway) -> None:
        self._service.report(
            Completion(
                connection=self.connection,
                phase=TCP_PHASE,
                reason=refused.reason,
                error_code=refused.error_code,
                started_ns=self.connection.started_ns,
                ended_ns=self._service.now_ns(),
            )
        )


def _canonical(ip: str) -> str:
    # The system writes IPv4 in one way only; IPv6 may be a mapped IPv4 address or have a zone.
    return str(parse_address(ip)) if ":" in ip else ip


class Served(DownstreamProtocol):
    """A downstream connection that knows how it came here and gives its place back at the end."""

    def __init__(
        self, service: Service, listener: Listener, arrival: Arrival, reception: Reception
    ) -> None:
        """Serve the connection of an arrival that its reception has welcomed."""
        super().__init__(service, listener, reception)
        self._arrival = arrival
        self._neighbours = arrival.connections.served

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note what the TLS handshake settled, then begin."""
        session = transport.get_extra_info("ssl_object")
        if session is not None:
            self._arrival.connection.tls = tls_session(session, self._listener.certificate)
        self._neighbours.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Report what is left to report and give the place back, whatever ended the connection."""
        super().connection_lost(exc)
        self._reception.closed()
        self._neighbours.discard(self)
        self._arrival.leave()
