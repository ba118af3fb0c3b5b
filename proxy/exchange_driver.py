"""Drives one request through its phases, to the upstream and back.

No task and no future on the way, unless a connection has to be opened: the two connections call
in when something arrives, and a policy's generator is resumed when what it asked for is there.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from policy.action import Close, Continue, Respond
from policy.engine import Decision, begin_phase, begin_request
from policy.exchange import Exchange, Response
from policy.fields import Fields
from policy.phase import Phase
from proxy.client_side import ClientSide
from proxy.completion import Completion, exchange_completion
from proxy.endpoint import ServedEndpoint
from proxy.http1.request_head import RequestHead
from proxy.live_stream import LiveStream
from proxy.message import ERROR_CODE_FIELD, REASONS, InjectedLine, refusal_lines
from proxy.refusal import INJECTED_LINE, INTERNAL_ERROR, NO_UPSTREAM, Refusal, refusal_body
from proxy.request_body import RequestBody
from proxy.response_writer import ResponseWriter
from proxy.service import Service
from proxy.upstream import EVENT_STREAM
from proxy.upstream_pool import UpstreamPlace
from proxy.upstream_side import UpstreamSide
from proxy.waiting_phase import WaitingPhase
from proxy.websocket_relay import WebSocketRelay

# Names of their own: looking a member up in its class is slow.
ON_HTTP_REQUEST: Final = Phase.ON_HTTP_REQUEST
ON_HTTP_RESPONSE: Final = Phase.ON_HTTP_RESPONSE


class ExchangeDriver:
    """One request on its way."""

    __slots__ = (
        "_body", "_client", "_decision", "_exchange", "_finished", "_head", "_is_blocked",
        "_is_switching", "_key", "_place", "_policy", "_refusal", "_sent_fields", "_served",
        "_service", "_stream", "_upstream", "_upstream_head_ns", "_upstream_status", "_waiting",
        "_writer",
    )  # fmt: skip

    def __init__(  # noqa: PLR0917 - made for every request, and names in a call take time
        self,
        service: Service,
        client: ClientSide,
        exchange: Exchange,
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
        self._body = RequestBody() if head.length else None
        self._is_blocked = self._is_switching = self._finished = False
        self._waiting: WaitingPhase | None = None
        self._upstream: UpstreamSide | None = None
        self._writer: ResponseWriter | None = None
        self._decision: Decision | None = None
        self._refusal: Refusal | None = None
        self._upstream_status: int | None = None
        self._upstream_head_ns: int | None = None
        # Of streams only: the fields before any action, and what may end it.
        self._sent_fields: Fields | None = None
        self._stream: LiveStream | None = None

    @property
    def responding(self) -> bool:
        """Tell whether any byte of the final response is on its way."""
        return self._writer is not None and self._writer.has_begun

    # From the client

    def start(self, content: bytes, *, ended: bool) -> None:
        """Begin, with the content that came along with the head."""
        if self._body is not None:
            self._take_content(self._body, content, ended=ended)
        exchange, policy = self._exchange, self._policy
        if policy.has(ON_HTTP_REQUEST):
            fields = self._head.fields
            if self._key or EVENT_STREAM in (fields.first("accept") or ""):
                self._sent_fields = Fields(fields.lines)
            begin_request(policy, exchange)
            self._run(ON_HTTP_REQUEST)
        else:
            begin_request(policy, exchange)
            self._forward()

    def request_content(self, content: bytes, *, ended: bool) -> None:
        """Take more of the request's body."""
        body = self._body
        if body is None:
            return
        self._take_content(body, content, ended=ended)
        if self._upstream is not None:
            self._upstream.send_content()
        elif self._waiting is not None:
            self._waiting.content_came()
        else:
            self._client.pause()

    def client_failed(self, refusal: Refusal) -> None:
        """End a request whose body is malformed or does not come."""
        self._refuse(refusal)

    def client_gone(self) -> None:
        """Drop everything: there is nobody left to answer."""
        upstream = self._upstream
        if upstream is not None and upstream.relay is not None:
            upstream.relay.side_gone()
            return
        self._drop_upstream()
        self._finish(client_aborted=True)

    def client_blocked(self) -> None:
        """Stop the response until the client has taken what we sent."""
        self._is_blocked = True
        if self._upstream is not None:
            self._upstream.pause()

    def client_unblocked(self) -> None:
        """Let the response come again."""
        self._is_blocked = False
        if self._upstream is not None and (self._writer is None or self._writer.has_begun):
            self._upstream.resume()

    def tunnel_from_client(self, data: bytes) -> None:
        """Pass on what the client sends after a switch of protocols."""
        if self._upstream is not None and self._upstream.relay is not None:
            self._upstream.relay.from_client(data)

    def client_ended(self) -> None:
        """Pass on that the client sends nothing more through the tunnel."""
        if self._upstream is not None:
            self._upstream.end_tunnel()

    def _take_content(self, body: RequestBody, content: bytes, *, ended: bool) -> None:
        body.add(content, ended=ended)
        request = self._exchange.request
        if ended and request is not None:
            request.body_received_ns = self._service.now_ns()
            if self._client.trailers:
                request.trailers = Fields(self._client.trailers)

    # The policy

    def _run(self, phase: Phase) -> None:
        try:
            begun = begin_phase(self._policy, phase, self._exchange)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not let a request by
            self._phase_failed(error)
            return
        if isinstance(begun, Decision):
            self._decided(begun)
        else:
            self._waiting = WaitingPhase(
                begun,
                self._exchange,
                self._body,
                self._client,
                service=self._service,
                decided=self._decided,
                failed=self._phase_failed,
            )
            self._waiting.go_on(None)

    def _decided(self, decision: Decision) -> None:
        """Do what a phase has decided."""
        # It holds what holds it: a ring that would be left to the garbage collector.
        self._waiting = None
        outcome, is_request = decision.outcome, decision.phase is ON_HTTP_REQUEST
        if isinstance(outcome, Continue):
            if is_request:
                self._forward()
            else:
                self._write_response()
            return
        self._decision = decision
        if isinstance(outcome, Close):
            self._close()
            return
        self._drop_upstream()
        self._respond(outcome, runs_response_phase=is_request and outcome.runs_response_phase)

    def _phase_failed(self, error: Exception) -> None:
        asyncio.get_running_loop().call_exception_handler(
            {"message": "a policy phase failed", "exception": error}
        )
        self._refuse(INTERNAL_ERROR)

    # The upstream

    def _forward(self) -> None:
        place = self._place
        if place is None:
            self._refuse(NO_UPSTREAM)
            return
        self._upstream = UpstreamSide(
            self,
            self._client,
            self._exchange,
            self._head,
            self._body,
            self._policy,
            place,
            self._key,
        )
        self._upstream.forward()

    def upstream_answered(
        self, response: Response, length: int, content: bytes, *, ended: bool
    ) -> None:
        """Take the final response and what came along of its body."""
        self._exchange.response = response
        self._exchange.computed = None
        self._upstream_status = response.status_code
        if self._service.completed is not None:
            self._upstream_head_ns = self._service.now_ns()
        self._writer = ResponseWriter(self._client, self._head, length, content, ended=ended)
        if self._policy.has(ON_HTTP_RESPONSE):
            self._run(ON_HTTP_RESPONSE)
        else:
            self._write_response()

    def upstream_switched(self, response: Response) -> None:
        """Take the response after which a tunnel opens."""
        self._is_switching = True
        self.upstream_answered(response, 0, b"", ended=False)

    def upstream_content(self, content: bytes, *, ended: bool) -> None:
        """Pass on more of the response's body."""
        writer, upstream = self._writer, self._upstream
        if writer is None or upstream is None:
            return
        if not writer.has_begun:
            # The response phase is still waiting for something.
            writer.hold(content, ended=ended)
            if not ended:
                upstream.pause()
            return
        writer.content(content, ended=ended, trailers=upstream.trailers if ended else ())
        if ended:
            self._end_response()

    def upstream_failed(self, failure: Refusal) -> None:
        """Answer for an upstream that did not; or show the client that its answer is cut short."""
        self._refuse(failure)

    def _drop_upstream(self) -> None:
        if self._upstream is not None:
            self._upstream.drop()

    # To the client

    def _respond(self, outcome: Respond[Any], *, runs_response_phase: bool) -> None:
        """Answer with a response that the policy made."""
        headers = Fields(outcome.headers)
        if outcome.error_code is not None:
            headers.add(ERROR_CODE_FIELD, outcome.error_code)
        self._answer(outcome.status_code, headers, outcome.body)
        if runs_response_phase and self._policy.has(ON_HTTP_RESPONSE):
            self._run(ON_HTTP_RESPONSE)
        else:
            self._write_response()

    def _answer(self, status: int, headers: Fields, body: bytes) -> None:
        """Put a response of our own in place of whatever else there may be."""
        response = Response(status, headers, REASONS.get(status, ""))
        self._exchange.response = response
        self._exchange.computed = None
        self._is_switching = False
        self._writer = ResponseWriter(self._client, self._head, len(body), body, ended=True)

    def _write_response(self) -> None:
        response, writer, upstream = self._exchange.response, self._writer, self._upstream
        assert response is not None
        assert writer is not None
        try:
            if self._is_switching:
                writer.switch(response)
            else:
                trailers = upstream.trailers if upstream is not None and writer.ended else ()
                writer.begin(response, self._service.date, trailers)
        except InjectedLine:
            self._refuse(INJECTED_LINE)
            return
        if writer.ended:
            self._end_response()
            return
        if self._is_switching:
            self._open_tunnel()
        elif (response.headers.first("content-type") or "").startswith(EVENT_STREAM):
            self._keep_stream()
        # What was written may be more than the client takes at once: then it will say so.
        if self._upstream is not None and not self._is_blocked:
            self._upstream.resume()

    def _end_response(self) -> None:
        writer, upstream = self._writer, self._upstream
        if upstream is not None:
            upstream.release()
        self._finish()
        self._client.done(keeps_alive=writer is not None and writer.keeps_alive)

    def _refuse(self, refusal: Refusal) -> None:
        """Answer on the proxy's own account, or break off what is already being answered."""
        self._refusal = refusal
        if self._finished:
            return
        if self.responding:
            self._close()
            return
        self._drop_upstream()
        self._answer(refusal.status, Fields(refusal_lines(refusal)), refusal_body(refusal.status))
        self._write_response()

    def _close(self) -> None:
        """End without an answer, or in the middle of one, so that the client sees that it is."""
        self._drop_upstream()
        self._finish()
        self._client.abort()

    def _open_tunnel(self) -> None:
        upstream, service = self._upstream, self._service
        assert upstream is not None
        relay = upstream.open_tunnel(service.runtime.limits, service.deadlines, done=self._finish)
        self._keep_stream(relay)
        self._client.switch()
        upstream.pass_early_frames()

    def _keep_stream(self, relay: WebSocketRelay | None = None) -> None:
        """Let a later decision end what this one has let in."""
        self._stream = LiveStream(
            self._service,
            self._exchange,
            self._client.connection,
            sent_fields=self._sent_fields,
            has_body=self._body is not None,
            relay=relay,
            cut=self._close,
        )

    # The end

    def _finish(self, *, client_aborted: bool = False) -> None:
        """Report the request, once."""
        if self._finished:
            return
        self._finished = True
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if self._stream is not None:
            self._stream.close()
        if self._service.completed is not None:
            self._service.completed(self._record(client_aborted=client_aborted))
        self._exchange.changed()
        # They hold what holds them.
        self._upstream = self._stream = None

    def _record(self, *, client_aborted: bool) -> Completion:
        writer, upstream = self._writer, self._upstream
        record = exchange_completion(self._exchange, self._served, self._service.now_ns())
        record.upstream_status = self._upstream_status
        record.upstream_head_ns = self._upstream_head_ns
        record.client_aborted = client_aborted
        if self._body is not None:
            record.request_body_bytes = self._body.received_bytes
        if writer is not None and writer.has_begun and self._exchange.response is not None:
            record.status = self._exchange.response.status_code
            record.response_body_bytes = writer.content_bytes
        if upstream is not None:
            record.upstream_connection_reused = upstream.reused
            if upstream.relay is not None:
                record.upgraded = True
                record.request_body_bytes = upstream.relay.bytes_from_client
                record.response_body_bytes = upstream.relay.bytes_from_upstream
        if self._stream is not None and self._stream.end_reason is not None:
            record.reason = self._stream.end_reason
        elif self._refusal is not None:
            record.refused(self._refusal)
        elif self._decision is not None:
            record.decided(self._decision)
        return record
