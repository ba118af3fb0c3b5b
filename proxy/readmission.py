"""Asks a new configuration about the streams that an old one let in (security T-WS-4).

A request keeps the configuration it started with, but a WebSocket or an event stream may last
for days. After a reload each one's request is decided again, as the client sent it. What no
longer gets through to the same endpoint is ended: a WebSocket by a Close with status 1008, an
event stream by a cut. Clients then connect again and get their answer.
"""

from __future__ import annotations

import asyncio
from typing import Any

from policy.action import Continue
from policy.effect import GetDocument, Now, ReadBody
from policy.engine import Phases, begin_request, run_phase
from policy.exchange import Exchange, Request
from policy.fields import Fields
from policy.phase import Phase
from proxy.endpoint import ServedEndpoint
from proxy.open_streams import OpenStream
from proxy.service import Service
from proxy.websocket_frames import POLICY_VIOLATION

NO_LONGER_ADMITTED = "stream-no-longer-admitted"
# Some milliseconds of work, between which others get their turn.
BATCH = 50


async def readmit_streams(service: Service) -> None:
    """Decide all open streams again; give up when a newer configuration comes meanwhile."""
    runtime = service.runtime
    for number, stream in enumerate(service.streams):
        if number % BATCH == BATCH - 1:
            await asyncio.sleep(0)
        if service.runtime is not runtime:
            return
        if stream in service.streams and not await is_admitted(stream, service):
            stream.end(POLICY_VIOLATION, NO_LONGER_ADMITTED)


async def is_admitted(stream: OpenStream, service: Service) -> bool:
    """Tell whether the current configuration would let a stream's request through."""
    served = service.runtime.endpoints.find(stream.request.url.host)
    if served is None or served.upstream is None or served.endpoint.id != stream.endpoint_id:
        return False
    connected = Exchange(
        connection=stream.connection,
        endpoint=served.endpoint,
        surroundings=service.runtime.surroundings,
    )
    try:
        if not await _lets_through(Phase.ON_TCP_CONNECT, stream, served, connected, service):
            return False
        asked = Exchange(
            connection=stream.client,
            endpoint=served.endpoint,
            surroundings=service.runtime.surroundings,
            request=_sent_again(stream.request),
            results=connected.results,
        )
        begin_request(served.policy, asked)
        return await _lets_through(Phase.ON_HTTP_REQUEST, stream, served, asked, service)
    except Exception as error:  # noqa: BLE001 - a fault of ours must not keep a stream open
        asyncio.get_running_loop().call_exception_handler(
            {"message": "a stream could not be decided again", "exception": error}
        )
        return False


def _sent_again(request: Request) -> Request:
    # A copy: actions change it in place, and the next reload wants it as it was.
    return Request(
        method=request.method,
        version=request.version,
        url=request.url,
        headers=Fields(request.headers.lines),
        received_ns=request.received_ns,
    )


async def _lets_through(
    phase: Phase, stream: OpenStream, served: ServedEndpoint, exchange: Exchange, service: Service
) -> bool:
    if not served.policy.has(phase):
        return True
    steps: Phases = run_phase(served.policy, phase, exchange)
    answer: Any = None
    while True:
        try:
            effect = steps.send(answer)
        except StopIteration as end:
            return isinstance(end.value.outcome, Continue)
        match effect:
            case Now():
                answer = service.now_ns()
            case ReadBody() if not stream.has_body:
                answer = b""
            case GetDocument():
                answer = service.documents.answer(effect)
                if isinstance(answer, asyncio.Future):
                    answer = await answer
            case _:
                # It can't be asked again: a body that is gone, an answer that takes time. What
                # can't be decided is not let through.
                return False
