"""Opens the listening sockets and brings each accepted connection to its protocol.

accept -> a place among the open connections -> [PROXY header] -> [on_tcp_connect -> TLS]
       -> Downstream
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from contextlib import suppress
from typing import Any

from proxy.arrival import Arrival
from proxy.failure import Failure
from proxy.open_connections import OpenConnections
from proxy.rare_warning import RareWarning
from proxy.service import Listener, Service
from proxy.settings_types import SocketAddress
from proxy.turned_away import TurnedAwayClients

BACKLOG = 1024
# How many connections are taken in one go before others get their turn. One by one where workers
# share the socket: the first to wake up would else take them all, and the others stay idle.
ACCEPT_BATCH = 64
ACCEPT_BATCH_SHARED = 1
# Out of descriptors or memory: accepting again at once would only spin (T-DO-3).
EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
EXHAUSTED_PAUSE_S = 0.5


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Bind and listen on every address of a host. Raises Failure; then nothing stays open."""
    opened: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, address in dict.fromkeys(found):
            opened.append(_listening(family, address))
    except OSError as error:
        for each in opened:
            each.close()
        raise _cannot_listen(host, port, error) from None
    return opened


def _listening(family: int, address: Any) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        # A restart must not wait for connections of the last run to fade away.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address[0] != "::"))
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _cannot_listen(host: str, port: int, error: OSError) -> Failure:
    place = SocketAddress(host, port)
    if isinstance(error, socket.gaierror):
        return Failure(f"can't listen on {place}: unknown host", hint="use an address of this host")
    hints = {
        errno.EADDRINUSE: (
            "another program listens there",
            f"stop it, or choose another port; 'ss -ltnp sport = :{port}' shows which it is",
        ),
        errno.EACCES: (
            "not permitted",
            "ports below 1024 need the capability CAP_NET_BIND_SERVICE; or choose a higher one",
        ),
        errno.EADDRNOTAVAIL: ("this machine has no such address", "use 127.0.0.1, or 0.0.0.0"),
    }
    reason, hint = hints.get(error.errno or 0, (os.strerror(error.errno or 0).lower(), None))
    return Failure(f"can't listen on {place}: {reason}", hint=hint)


class OpenListener:
    """One listening socket and the connections that come through it."""

    def __init__(
        self,
        service: Service,
        listener: Listener,
        sock: socket.socket,
        connections: OpenConnections,
        *,
        refusals: RareWarning,
        batch: int = ACCEPT_BATCH,
    ) -> None:
        """Take over a listening socket; nothing is accepted before `start`."""
        # A reload puts a new value here, with new certificates; open connections keep theirs.
        self.listener = listener
        self._service = service
        self._socket = sock
        self._connections = connections
        self._refusals = refusals
        self._turned_away = TurnedAwayClients(service.date)
        self._batch = batch
        self._tasks: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None

    @property
    def address(self) -> str:
        """The address in use as `HOST:PORT`, also where the system chose the port."""
        return str(SocketAddress(*self._socket.getsockname()[:2]))

    def start(self) -> None:
        """Begin to accept, on the running loop."""
        self._pause = None
        asyncio.get_running_loop().add_reader(self._socket, self._accept)

    def stop(self) -> None:
        """Take what has connected already, then accept no more."""
        asyncio.get_running_loop().remove_reader(self._socket)
        if self._pause is not None:
            self._pause.cancel()
        with suppress(OSError):
            while self._take():
                pass
        self._socket.close()

    def _accept(self) -> None:
        for _ in range(self._batch):
            try:
                if not self._take():
                    return
            except OSError:
                self._back_off()
                return

    def _take(self) -> bool:
        """Take one connection; False when there is none. Raises OSError when there is no room."""
        try:
            client, _ = self._socket.accept()
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            if error.errno in EXHAUSTED:
                raise
            # The client left before it was served (ECONNABORTED and kin).
            return True
        client.setblocking(False)
        self._welcome(client)
        return True

    def _back_off(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket)
        self._pause = loop.call_later(EXHAUSTED_PAUSE_S, self.start)

    def _welcome(self, client: socket.socket) -> None:
        try:
            arrival = Arrival(self._service, self.listener, client, self._connections)
        except OSError:
            # Gone between accept and here.
            client.close()
            return
        if not arrival.enter():
            self._refuse(client, arrival.connection.peer_ip)
            return
        task = asyncio.get_running_loop().create_task(arrival.serve())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _refuse(self, client: socket.socket, peer_ip: str) -> None:
        full = self._connections.is_full(self._service.runtime.limits)
        bound = "max_connections" if full else f"max_connections_per_address, {peer_ip}"
        self._refusals.note(1, bound)
        if self.listener.tls is not None:
            # A handshake costs more than all the rest, and nothing could be said without it.
            client.close()
        else:
            self._turned_away.add(client)
