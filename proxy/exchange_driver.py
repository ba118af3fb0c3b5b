"""Drives one request through its phases, to the upstream and back.

No task and no future on the way, unless a connection has to be opened: the two connections call
in when something arrives, and a policy's generator is resumed when what it asked for is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from policy.action import Close, Continue, Respond
from policy.effect import ReadBody
from policy.engine import Decision, begin_phase, begin_request
from policy.exchange import Exchange, Request, Response
from policy.fields import Fields
from policy.forwarding import forwardable_trailers, received_fields, restore_location
from policy.own_cookies import drop_set_cookies
from policy.phase import Phase
from policy.store import StoreGet
from proxy.client_side import ClientSide
from proxy.completion import Completion
from proxy.endpoint import ServedEndpoint
from proxy.http1.request_head import CHUNKED, RequestHead
from proxy.http1.response_head import BadResponse, ResponseHead
from proxy.message import (
    ERROR_CODE_FIELD,
    REASONS,
    InjectedLine,
    Line,
    refusal_lines,
    render_response_head,
)
from proxy.open_streams import OpenStream
from proxy.readmission import keep_admitted
from proxy.refusal import INJECTED_LINE, INTERNAL_ERROR, NO_UPSTREAM, Refusal, refusal_body
from proxy.response_writer import ResponseWriter
from proxy.service import Service
from proxy.upstream import EVENT_STREAM, UpstreamConnection
from proxy.upstream_pool import ConnectFailed, UpstreamPlace
from proxy.upstream_request import framed, upstream_head
from proxy.waiting_phase import WaitingPhase
from proxy.websocket import check_switch
from proxy.websocket_relay import WebSocketRelay

# A request without content may be sent again when a kept connection broke before the answer
# (RFC 9112, section 9.3.1), if doing it twice is like doing it once (RFC 9110, section 9.2.2).
REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PROPFIND", "REPORT", "SEARCH"})
PASSED_ON_INTERIM = frozenset({102, 103})

# Names of their own: looking a member up in its class is slow.
ON_HTTP_REQUEST, ON_HTTP_RESPONSE = Phase.ON_HTTP_REQUEST, Phase.ON_HTTP_RESPONSE


class ExchangeDriver:
    """One request on its way."""

    __slots__ = (
        "_client", "_connecting", "_decision", "_end_reason", "_exchange", "_finished", "_head",
        "_key", "_length", "_pending", "_place", "_policy", "_read_limit", "_received",
        "_refusal", "_relay", "_request_ended", "_retried", "_reused", "_sent", "_sent_fields",
        "_served", "_service", "_staged", "_staged_ended", "_stream", "_tunnel",
        "_upstream", "_upstream_head_ns", "_upstream_status", "_waiting", "_writer",
    )  # fmt: skip

    def __init__(
        self,
        service: Service,
        client: ClientSide,
        exchange: Exchange,
        *,
        served: ServedEndpoint,
        place: UpstreamPlace | None,
        head: RequestHead,
        websocket_key: str,
    ) -> None:
        """Take one request; `websocket_key` is "" for all but WebSocket handshakes."""
        self._service = service
        self._client = client
        self._exchange = exchange
        self._served = served
        self._policy = served.policy
        self._place = place
        self._head = head
        self._key = websocket_key
        self._pending: list[bytes] = []
        self._received = self._sent = self._length = 0
        self._read_limit: int | None = None
        self._request_ended = self._retried = self._reused = self._tunnel = self._finished = False
        self._upstream: UpstreamConnection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._waiting: WaitingPhase | None = None
        self._staged: list[bytes] | None = None
        self._staged_ended = False
        self._writer: ResponseWriter | None = None
        self._decision: Decision | None = None
        self._refusal: Refusal | None = None
        self._upstream_status: int | None = None
        self._upstream_head_ns: int | None = None
        # Of streams only: the fields before any action, the frames, why we ended it.
        self._sent_fields: Fields | None = None
        self._stream: OpenStream | None = None
        self._relay: WebSocketRelay | None = None
        self._end_reason: str | None = None

    @property
    def responding(self) -> bool:
        """Tell whether any byte of the final response is on its way."""
        return self._writer is not None

    # From the client

    def start(self, content: bytes, *, ended: bool) -> None:
        """Begin, with the content that came along with the head."""
        if content:
            self._pending.append(content)
            self._received = len(content)
        if ended:
            self._request_complete()
        exchange, policy = self._exchange, self._policy
        if policy.has(ON_HTTP_REQUEST):
            fields = self._head.fields
            if self._key or EVENT_STREAM in (fields.first("accept") or ""):
                self._sent_fields = Fields(fields.lines)
            begin_request(policy, exchange)
            self._run(ON_HTTP_REQUEST, self._request_decided)
        else:
            begin_request(policy, exchange)
            self._forward()

    def request_content(self, content: bytes, *, ended: bool) -> None:
        """Take more of the request's body."""
        self._received += len(content)
        if ended:
            self._request_complete()
        if self._upstream is not None:
            self._send_content(self._upstream, content)
            return
        if content:
            self._pending.append(content)
        if self._read_limit is None:
            self._client.pause()
        elif ended or self._received > self._read_limit:
            self._answer_read()

    def client_failed(self, refusal: Refusal) -> None:
        """End a request whose body is malformed or does not come."""
        self._refuse(refusal)

    def client_gone(self) -> None:
        """Drop everything: there is nobody left to answer."""
        if self._relay is not None:
            self._relay.side_gone()
            return
        self._drop_upstream()
        self._finish(client_aborted=not self._tunnel)

    def client_blocked(self) -> None:
        """Stop the response until the client has taken what we sent."""
        if self._upstream is not None:
            self._upstream.pause()

    def client_unblocked(self) -> None:
        """Let the response come again."""
        if self._upstream is not None and self._staged is None:
            self._upstream.resume()

    def tunnel_from_client(self, data: bytes) -> None:
        """Pass on what the client sends after a switch of protocols."""
        self._received += len(data)
        if self._relay is not None:
            self._relay.from_client(data)

    def client_ended(self) -> None:
        """Pass on that the client sends nothing more through the tunnel."""
        if self._upstream is not None and self._relay is not None:
            self._upstream.end_tunnel()
            self._relay.client_ended()

    # The policy

    def _run(self, phase: Phase, then: Callable[[Decision], None]) -> None:
        try:
            begun = begin_phase(self._policy, phase, self._exchange)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not let a request by
            self.phase_failed(error)
            return
        if isinstance(begun, Decision):
            self.phase_decided(begun, then)
        else:
            self._waiting = WaitingPhase(begun, self, self._service, then)
            self._waiting.go_on(None)

    def phase_decided(self, decision: Decision, then: Callable[[Decision], None]) -> None:
        """Do what a phase has decided."""
        # It holds what holds it: a ring that would be left to the garbage collector.
        self._waiting = None
        if not isinstance(decision.outcome, Continue):
            self._decision = decision
        then(decision)

    def looked_up(self, effect: StoreGet) -> None:
        """Take note of a record that the decision may rest on."""
        self._exchange.records += ((effect.kind.name, effect.key),)

    def read_body(self, effect: ReadBody) -> bool:
        """Begin to buffer the body; True when there is nothing to wait for."""
        limit = min(effect.limit_bytes, self._service.runtime.limits.max_buffered_body_bytes)
        self._read_limit = limit
        if self._request_ended or self._received > limit:
            return True
        self._client.want_content()
        self._client.resume()
        return False

    def whole_body(self) -> bytes | None:
        """Return what was read; None when it is longer than was asked for."""
        limit, self._read_limit = self._read_limit, None
        if limit is not None and self._received > limit:
            return None
        body = b"".join(self._pending)
        self._pending = [body] if body else []
        return body

    def _answer_read(self) -> None:
        self._client.pause()
        if self._waiting is not None:
            self._waiting.go_on(self.whole_body())

    def phase_failed(self, error: Exception) -> None:
        """Refuse after a fault of ours."""
        asyncio.get_running_loop().call_exception_handler(
            {"message": "a policy phase failed", "exception": error}
        )
        self._refuse(INTERNAL_ERROR)

    def _request_decided(self, decision: Decision) -> None:
        outcome = decision.outcome
        if isinstance(outcome, Continue):
            self._forward()
        elif isinstance(outcome, Close):
            self._close()
        else:
            self._respond(outcome, runs_response_phase=outcome.runs_response_phase)

    def _response_decided(self, decision: Decision) -> None:
        outcome = decision.outcome
        if isinstance(outcome, Continue):
            self._write_response()
        elif isinstance(outcome, Close):
            self._close()
        else:
            self._drop_upstream()
            self._respond(outcome, runs_response_phase=False)

    # To the upstream

    def _request_complete(self) -> None:
        self._request_ended = True
        request = self._exchange.request
        if request is not None and self._head.length:
            request.body_received_ns = self._service.now_ns()
            if self._client.trailers:
                request.trailers = Fields(self._client.trailers)

    def _forward(self) -> None:
        place = self._place
        if place is None:
            self._refuse(NO_UPSTREAM)
            return
        upstream = None if self._retried else place.take()
        if upstream is not None:
            self._reused = True
            self._send_head(upstream)
        else:
            self._reused = False
            self._connecting = asyncio.get_running_loop().create_task(self._connect(place))

    async def _connect(self, place: UpstreamPlace) -> None:
        try:
            upstream = await place.connect()
        except ConnectFailed as error:
            self._connecting = None
            self._refuse(error.failure)
            return
        self._connecting = None
        if self._finished:
            place.put_back(upstream)
        else:
            self._send_head(upstream)

    def _send_head(self, upstream: UpstreamConnection) -> None:
        exchange, head = self._exchange, self._head
        request = exchange.request
        assert request is not None
        try:
            data = upstream_head(exchange, request, head, self._served, websocket=self._key != "")
        except InjectedLine:
            upstream.close()
            self._refuse(INJECTED_LINE)
            return
        self._upstream = upstream
        upstream.begin(self, request.method, upgrading=self._key != "")
        if head.length:
            content = b"".join(self._pending)
            self._pending = []
            self._client.want_content()
            data += self._framed(content)
            self._sent += len(content)
        upstream.write(data)
        self._client.resume()

    def _send_content(self, upstream: UpstreamConnection, content: bytes) -> None:
        self._sent += len(content)
        upstream.write(self._framed(content))

    def _framed(self, content: bytes) -> bytes:
        if self._head.length != CHUNKED or self._exchange.request is None:
            return content
        return framed(
            content,
            CHUNKED,
            ended=self._request_ended,
            trailers=self._exchange.request.trailers,
            owned=self._policy.owned_headers,
        )

    # From the upstream

    def interim_response(self, head: ResponseHead) -> None:
        """Pass on hints; what a policy might still replace is not hinted at."""
        if (
            head.status in PASSED_ON_INTERIM
            and self._head.version == "HTTP/1.1"
            and not self._policy.has(ON_HTTP_RESPONSE)
        ):
            fields = received_fields(head.fields)
            if self._policy.own_cookies:
                drop_set_cookies(fields, self._policy.own_cookies)
            self._client.write(
                render_response_head(head.status, REASONS.get(head.status, ""), fields.lines)
            )

    def switched_protocols(self, head: ResponseHead, first: bytes) -> None:
        """Open the tunnel that the client asked for and the upstream agreed to."""
        check_switch(head, self._key)
        self._tunnel = True
        self.response_head(head, first, ended=False)

    def response_head(self, head: ResponseHead, content: bytes, *, ended: bool) -> None:
        """Take the final response and what came along of its body."""
        if self._key and not self._tunnel and 200 <= head.status < 300:
            raise BadResponse("websocket-handshake-ignored")
        exchange = self._exchange
        exchange.response = Response(
            status_code=head.status, headers=received_fields(head.fields), reason=head.reason
        )
        if self._policy.own_cookies:
            drop_set_cookies(exchange.response.headers, self._policy.own_cookies)
        exchange.computed = None
        self._upstream_status = head.status
        self._upstream_head_ns = self._service.now_ns()
        request = exchange.request
        if request is not None and "location" in exchange.response.headers.by_name:
            restore_location(request, exchange.response)
        self._length = head.length
        self._staged = [content] if content else []
        self._staged_ended = ended
        if self._policy.has(ON_HTTP_RESPONSE):
            self._run(ON_HTTP_RESPONSE, self._response_decided)
        else:
            self._write_response()

    def response_content(self, content: bytes, *, ended: bool) -> None:
        """Pass on more of the response's body."""
        if self._staged is not None:
            # The response phase is still waiting for something.
            self._staged.append(content)
            self._staged_ended = ended
            if self._upstream is not None and not ended:
                self._upstream.pause()
            return
        if self._writer is not None:
            trailers = self._response_trailers() if ended else ()
            self._writer.content(content, ended=ended, trailers=trailers)
        if ended:
            self._end_response()

    def tunnel_content(self, data: bytes) -> None:
        """Pass on what the upstream sends after a switch of protocols."""
        if self._relay is None or self._writer is None:
            # The response phase is still waiting for something.
            self._staged = [*(self._staged or ()), data]
            if self._upstream is not None:
                self._upstream.pause()
            return
        self._writer.content_bytes += len(data)
        self._relay.from_upstream(data)

    def upstream_failed(self, failure: Refusal) -> None:
        """Answer for an upstream that did not; or show the client that its answer is cut short."""
        upstream, self._upstream = self._upstream, None
        if self._relay is not None:
            self._relay.side_gone()
        elif upstream is not None and self._may_repeat(upstream):
            self._retried = True
            self._forward()
        else:
            self._refuse(failure)

    def upstream_blocked(self) -> None:
        """Take no more of the request's body for now."""
        self._client.pause()

    def upstream_unblocked(self) -> None:
        """Take more of the request's body again."""
        self._client.resume()

    def _may_repeat(self, upstream: UpstreamConnection) -> bool:
        return (
            upstream.reused
            and not upstream.answered
            and self._sent == 0
            and self._head.length == 0
            and self._head.method in REPEATABLE
            and not self._retried
        )

    # To the client

    def _respond(self, outcome: Respond[Any], *, runs_response_phase: bool) -> None:
        """Answer with a response that the policy made."""
        headers = Fields(outcome.headers)
        if outcome.error_code is not None:
            headers.add(ERROR_CODE_FIELD, outcome.error_code)
        self._make_response(outcome.status_code, headers, outcome.body)
        if runs_response_phase and self._policy.has(ON_HTTP_RESPONSE):
            self._run(ON_HTTP_RESPONSE, self._response_decided)
        else:
            self._write_response()

    def _make_response(self, status: int, headers: Fields, body: bytes) -> None:
        self._exchange.response = Response(
            status_code=status, headers=headers, reason=REASONS.get(status, "")
        )
        self._exchange.computed = None
        self._tunnel = False
        self._length = len(body)
        self._staged = [body]
        self._staged_ended = True

    def _write_response(self) -> None:
        response = self._exchange.response
        assert response is not None
        content, ended = b"".join(self._staged or ()), self._staged_ended
        self._staged = None
        writer = ResponseWriter(self._client, self._head)
        try:
            if self._tunnel:
                writer.switch(response)
            else:
                writer.begin(
                    response,
                    self._length,
                    content,
                    ended=ended,
                    date=self._service.date,
                    trailers=self._response_trailers() if ended else (),
                )
        except InjectedLine:
            self._refuse(INJECTED_LINE)
            return
        self._writer = writer
        if self._tunnel:
            self._open_tunnel(content)
        elif ended:
            self._end_response()
        elif self._upstream is not None:
            if (response.headers.first("content-type") or "").startswith(EVENT_STREAM):
                self._keep_stream(self._end_event_stream)
            self._upstream.resume()

    # Streams

    def _open_tunnel(self, first: bytes) -> None:
        upstream, service = self._upstream, self._service
        assert upstream is not None
        self._relay = WebSocketRelay(
            self._client,
            upstream,
            limits=service.runtime.limits,
            deadlines=service.deadlines,
            done=self._tunnel_done,
        )
        self._keep_stream(self._relay.end)
        self._client.switch()
        if first:
            self.tunnel_content(first)
        if self._upstream is not None:
            self._upstream.resume()

    def _tunnel_done(self) -> None:
        self._upstream = None
        if self._relay is not None:
            self._end_reason = self._relay.reason
        self._finish()

    def _keep_stream(self, end: Callable[[int, str], None]) -> None:
        """Let a later decision end what this one has let in."""
        head, request = self._head, self._exchange.request
        assert request is not None
        self._stream = OpenStream(
            connection=self._client.connection,
            client=self._exchange.connection,
            endpoint_id=self._served.endpoint.id,
            request=Request(
                method=head.method,
                version=head.version,
                url=request.public_url,
                headers=self._sent_fields or request.headers,
                received_ns=request.received_ns,
            ),
            has_body=head.length != 0,
            is_websocket=self._relay is not None,
            end=end,
            admitted_until_ns=self._exchange.admitted_until_ns,
            records=frozenset(self._exchange.records),
        )
        keep_admitted(self._stream, self._service)

    def _end_event_stream(self, _code: int, reason: str) -> None:
        """Cut an event stream off: it has no other way to say that it is not complete."""
        self._end_reason = reason
        self._close()

    def _response_trailers(self) -> tuple[Line, ...]:
        if self._upstream is None or not self._upstream.trailers:
            return ()
        return tuple(forwardable_trailers(Fields(self._upstream.trailers)))

    def _end_response(self) -> None:
        upstream, self._upstream = self._upstream, None
        if upstream is not None and self._place is not None:
            if upstream.reusable and self._request_ended:
                self._place.put_back(upstream)
            else:
                upstream.close()
        self._finish()
        self._client.done(keeps_alive=self._writer is not None and self._writer.keeps_alive)

    def _refuse(self, refusal: Refusal) -> None:
        """Answer on the proxy's own account, or break off what is already being answered."""
        self._drop_upstream()
        self._refusal = refusal
        if self._finished:
            return
        if self._writer is not None:
            self._finish()
            self._client.abort()
            return
        self._make_response(
            refusal.status, Fields(refusal_lines(refusal)), refusal_body(refusal.status)
        )
        self._write_response()

    def _close(self) -> None:
        self._drop_upstream()
        self._finish()
        self._client.abort()

    def _drop_upstream(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        upstream, self._upstream = self._upstream, None
        if upstream is not None:
            upstream.close()

    def _finish(self, *, client_aborted: bool = False) -> None:
        """Report the request, once."""
        if self._finished:
            return
        self._finished = True
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if self._stream is not None:
            self._service.streams.discard(self._stream)
        if self._service.completed is not None:
            self._service.completed(self._record(client_aborted=client_aborted))
        self._exchange.changed()

    def _record(self, *, client_aborted: bool) -> Completion:
        exchange, served = self._exchange, self._served
        request, response, writer = exchange.request, exchange.response, self._writer
        record = Completion(
            connection=exchange.connection,
            exchange=exchange,
            endpoint=served.endpoint.name,
            policy=self._policy.name,
            status=response.status_code if writer is not None and response is not None else None,
            started_ns=request.received_ns if request is not None else 0,
            upstream_head_ns=self._upstream_head_ns,
            ended_ns=self._service.now_ns(),
            request_body_bytes=self._received,
            response_body_bytes=writer.content_bytes if writer is not None else 0,
            upstream=served.upstream.authority if served.upstream is not None else None,
            upstream_status=self._upstream_status,
            upstream_connection_reused=self._reused,
            upgraded=self._tunnel,
            client_aborted=client_aborted,
        )
        if self._end_reason is not None:
            record.reason = self._end_reason
        elif self._refusal is not None:
            record.refused(self._refusal)
        elif self._decision is not None:
            record.decided(self._decision)
        return record
