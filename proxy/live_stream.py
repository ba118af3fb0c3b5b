"""A WebSocket or an event stream as its exchange knows it: from its head to its end."""

from __future__ import annotations

from collections.abc import Callable

from policy.exchange import Connection, Exchange, Request
from policy.fields import Fields
from proxy.open_streams import OpenStream
from proxy.readmission import keep_admitted
from proxy.service import Service
from proxy.websocket_relay import WebSocketRelay


class LiveStream:
    """One stream that a later decision may end.

    `relay` has the frames of a WebSocket, and is None for an event stream. `end_reason` is why we
    ended the stream; None while it is open and when its two sides ended it themselves.
    """

    __slots__ = ("_cut", "_end_reason", "_entry", "_service", "relay")

    def __init__(
        self,
        service: Service,
        exchange: Exchange,
        connection: Connection,
        *,
        sent_fields: Fields | None,
        has_body: bool,
        relay: WebSocketRelay | None,
        cut: Callable[[], None],
    ) -> None:
        """Take note of a stream that an exchange has let in.

        `connection` is the one that was accepted, `sent_fields` are the request's as the client
        sent them, None where nothing has changed them. `cut` breaks an event stream off.
        """
        request = exchange.request
        assert request is not None
        self.relay = relay
        self._service = service
        self._cut = cut
        self._end_reason: str | None = None
        self._entry = OpenStream(
            connection=connection,
            client=exchange.connection,
            endpoint_id=exchange.endpoint.id,
            request=Request(
                method=request.method,
                version=request.version,
                url=request.public_url,
                headers=sent_fields or request.headers,
                received_ns=request.received_ns,
            ),
            has_body=has_body,
            is_websocket=relay is not None,
            end=self._end if relay is None else relay.end,
            admitted_until_ns=exchange.admitted_until_ns,
            records=frozenset(exchange.records),
        )
        keep_admitted(self._entry, service)

    @property
    def end_reason(self) -> str | None:
        """Why we ended the stream."""
        return self._end_reason if self.relay is None else self.relay.reason

    def close(self) -> None:
        """Take note that the stream has ended."""
        self._service.streams.discard(self._entry)

    def _end(self, _code: int, reason: str) -> None:
        """Cut an event stream off: it has no other way to say that it is not complete."""
        self._end_reason = reason
        self._cut()
