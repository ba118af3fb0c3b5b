"""The upstream's side of one exchange: it is sent the request, and what it answers is handed on.

After a switch of protocols the frames go both ways from here.

A connection is at hand as a rule; only where one has to be opened is there a task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from policy.compiled import Policy
from policy.exchange import Exchange, Response
from policy.fields import Fields
from policy.forwarding import forwardable_trailers, received_fields, restore_location
from policy.own_cookies import drop_set_cookies
from policy.phase import Phase
from proxy.client_side import ClientSide
from proxy.deadlines import Deadlines
from proxy.http1.request_head import RequestHead
from proxy.http1.response_head import BadResponse, ResponseHead
from proxy.limits import Limits
from proxy.message import REASONS, InjectedLine, Line, render_response_head
from proxy.refusal import INJECTED_LINE, Refusal
from proxy.request_body import RequestBody
from proxy.upstream import UpstreamConnection
from proxy.upstream_pool import ConnectFailed, UpstreamPlace
from proxy.upstream_request import framed, upstream_head
from proxy.websocket import check_switch
from proxy.websocket_relay import WebSocketRelay

# A request without content may be sent again when a kept connection broke before the answer
# (RFC 9112, section 9.3.1), if doing it twice is like doing it once (RFC 9110, section 9.2.2).
REPEATABLE: Final = frozenset(
    {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PROPFIND", "REPORT", "SEARCH"}
)
PASSED_ON_INTERIM: Final = frozenset({102, 103})

# A name of its own: looking a member up in its class is slow.
ON_HTTP_RESPONSE: Final = Phase.ON_HTTP_RESPONSE


class Asking(Protocol):
    """The exchange that asks the upstream.

    `upstream_answered` is handed the response as policies may see it, the size of its body as its
    head has it, and what came along of that body. `ended` says that the response is complete.
    """

    def upstream_answered(
        self, response: Response, length: int, content: bytes, *, ended: bool
    ) -> None: ...
    def upstream_switched(self, response: Response) -> None: ...
    def upstream_content(self, content: bytes, *, ended: bool) -> None: ...
    def upstream_failed(self, failure: Refusal) -> None: ...


class UpstreamSide:
    """What one exchange has to do with its upstream.

    `reused` tells whether the connection had served another exchange before. `relay` has the
    frames of a WebSocket; None before it opens.
    """

    __slots__ = (
        "_asking", "_body", "_client", "_connecting", "_connection", "_early_frames", "_exchange",
        "_head", "_key", "_place", "_policy", "_retried", "relay", "reused",
    )  # fmt: skip

    def __init__(  # noqa: PLR0917 - made for every request, and names in a call take time
        self,
        asking: Asking,
        client: ClientSide,
        exchange: Exchange,
        head: RequestHead,
        body: RequestBody | None,
        policy: Policy,
        place: UpstreamPlace,
        websocket_key: str,
    ) -> None:
        """Forward a request; `body` is None for none, `websocket_key` "" for no handshake."""
        self._asking = asking
        self._client = client
        self._exchange = exchange
        self._head = head
        self._body = body
        self._policy = policy
        self._place = place
        self._key = websocket_key
        self._connection: UpstreamConnection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._retried = self.reused = False
        self._early_frames = b""
        self.relay: WebSocketRelay | None = None

    # What the exchange does

    def forward(self) -> None:
        """Send the request over a connection that is at hand, else over a new one."""
        connection = None if self._retried else self._place.take()
        if connection is not None:
            self.reused = True
            self._send_head(connection)
        else:
            self.reused = False
            self._connecting = asyncio.get_running_loop().create_task(self._connect())

    def send_content(self) -> None:
        """Send what has come of the request's body; without a connection yet, it has to wait."""
        if self._connection is None:
            self._client.pause()
        elif self._body is not None:
            self._connection.write(self._framed(self._body))

    def pause(self) -> None:
        """Take no more of the response for now."""
        if self._connection is not None:
            self._connection.pause()

    def resume(self) -> None:
        """Take more of the response again."""
        if self._connection is not None:
            self._connection.resume()

    @property
    def trailers(self) -> tuple[Line, ...]:
        """Those trailers of the complete response that are for the client."""
        if self._connection is None or not self._connection.trailers:
            return ()
        return tuple(forwardable_trailers(Fields(self._connection.trailers)))

    def release(self) -> None:
        """Let the connection serve others after a complete response, if it can."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if connection.reusable and (self._body is None or self._body.ended):
            self._place.put_back(connection)
        else:
            connection.close()

    def drop(self) -> None:
        """Have nothing more to do with the upstream."""
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    # Tunnels

    def open_tunnel(
        self, limits: Limits, deadlines: Deadlines, done: Callable[[], None]
    ) -> WebSocketRelay:
        """Relay frames from now on; `done` is called when it is over."""
        assert self._connection is not None
        self.relay = WebSocketRelay(
            self._client, self._connection, limits=limits, deadlines=deadlines, done=done
        )
        return self.relay

    def pass_early_frames(self) -> None:
        """Relay what came before the tunnel was open."""
        frames, self._early_frames = self._early_frames, b""
        if frames and self.relay is not None:
            self.relay.from_upstream(frames)

    def end_tunnel(self) -> None:
        """Pass on that the client sends nothing more."""
        if self._connection is not None and self.relay is not None:
            self._connection.end_tunnel()
            self.relay.client_ended()

    # Sending

    async def _connect(self) -> None:
        try:
            connection = await self._place.connect()
        except ConnectFailed as error:
            self._connecting = None
            self._asking.upstream_failed(error.failure)
            return
        self._connecting = None
        self._send_head(connection)

    def _send_head(self, connection: UpstreamConnection) -> None:
        head, request, is_websocket = self._head, self._exchange.request, self._key != ""
        assert request is not None
        try:
            data = upstream_head(
                self._exchange,
                request,
                head,
                base_path=self._place.address.base_path,
                owned=self._policy.owned_headers,
                websocket=is_websocket,
            )
        except InjectedLine:
            connection.close()
            self._asking.upstream_failed(INJECTED_LINE)
            return
        self._connection = connection
        connection.begin(self, request.method, upgrading=is_websocket)
        if self._body is not None:
            self._client.want_content()
            data += self._framed(self._body)
        connection.write(data)
        self._client.resume()

    def _framed(self, body: RequestBody) -> bytes:
        request = self._exchange.request
        assert request is not None
        return framed(
            body.take(),
            self._head.length,
            ended=body.ended,
            trailers=request.trailers,
            owned=self._policy.owned_headers,
        )

    def _may_repeat(self, connection: UpstreamConnection) -> bool:
        return (
            connection.reused
            and not connection.answered
            and self._body is None
            and self._head.method in REPEATABLE
            and not self._retried
        )

    # What the connection does

    def interim_response(self, head: ResponseHead) -> None:
        """Pass on hints; what a policy might still replace is not hinted at."""
        if (
            head.status in PASSED_ON_INTERIM
            and self._head.version == "HTTP/1.1"
            and not self._policy.has(ON_HTTP_RESPONSE)
        ):
            fields = self._received_fields(head)
            self._client.write(
                render_response_head(head.status, REASONS.get(head.status, ""), fields.lines)
            )

    def switched_protocols(self, head: ResponseHead, first: bytes) -> None:
        """Let a tunnel begin that the client asked for and the upstream agreed to."""
        check_switch(head, self._key)
        self._early_frames = first
        self._asking.upstream_switched(self._received(head))

    def response_head(self, head: ResponseHead, content: bytes, *, ended: bool) -> None:
        """Hand the final response on."""
        if self._key and 200 <= head.status < 300:
            raise BadResponse("websocket-handshake-ignored")
        self._asking.upstream_answered(self._received(head), head.length, content, ended=ended)

    def response_content(self, content: bytes, *, ended: bool) -> None:
        """Hand more of the response's body on."""
        self._asking.upstream_content(content, ended=ended)

    def tunnel_content(self, data: bytes) -> None:
        """Pass on what comes after a switch of protocols."""
        if self.relay is not None:
            self.relay.from_upstream(data)
        else:
            # The client does not know of the switch yet: a policy looks at it.
            self._early_frames += data
            self.pause()

    def upstream_failed(self, failure: Refusal) -> None:
        """Try once more where that does no harm, else say what happened."""
        connection, self._connection = self._connection, None
        if self.relay is not None:
            self.relay.side_gone()
        elif connection is not None and self._may_repeat(connection):
            self._retried = True
            self.forward()
        else:
            self._asking.upstream_failed(failure)

    def upstream_blocked(self) -> None:
        """Take no more of the request's body for now."""
        self._client.pause()

    def upstream_unblocked(self) -> None:
        """Take more of the request's body again."""
        self._client.resume()

    # Reading

    def _received(self, head: ResponseHead) -> Response:
        response = Response(head.status, self._received_fields(head), head.reason)
        request = self._exchange.request
        if request is not None and "location" in response.headers.by_name:
            restore_location(request, response)
        return response

    def _received_fields(self, head: ResponseHead) -> Fields:
        fields = received_fields(head.fields)
        if self._policy.own_cookies:
            drop_set_cookies(fields, self._policy.own_cookies)
        return fields
