"""Asks again about the streams that are open (security T-WS-4).

A request keeps the configuration it started with, but a WebSocket or an event stream may last
for days. Each one's request is decided again, as the client sent it: after a reload, when what
admitted it has run out, such as a token, and when a record is removed on which it was let in, such
as a session. What no longer gets through to the same endpoint is
ended: a WebSocket by a Close with status 1008, an event stream by a cut. Clients then connect
again and get their answer.

Actions may ask for anything they could ask for the first time, but for a body that is gone. What
can't be decided, or not soon, is not let through.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from policy.continuation import Continue
from policy.effect import ReadBody
from policy.engine import Phases, begin_request, run_phase
from policy.exchange import Exchange, Request
from policy.fields import Fields
from policy.phase import Phase
from proxy.effects import answer_effect
from proxy.endpoint import ServedEndpoint
from proxy.open_streams import OpenStream
from proxy.service import Service
from proxy.websocket_frames import POLICY_VIOLATION

NO_LONGER_ADMITTED = "stream-no-longer-admitted"
ADMISSION_ENDED = "stream-admission-ended"
# Some milliseconds of work, between which others get their turn.
BATCH = 50
TIMEOUT_S = 10.0
# A clock that is set meanwhile is noticed within so long.
LONGEST_WAIT_S = 60.0
# An action that gives an instant at a time must not keep the proxy busy.
SHORTEST_RENEWAL_S = 1.0
NS_PER_S = 1_000_000_000


def keep_admitted(stream: OpenStream, service: Service) -> None:
    """Take note of a stream that opens, and end it when nothing admits it any more."""
    service.streams.add(stream)
    stream.ask_again = partial(_ask, stream, service)
    _wait(stream, service)


async def readmit_streams(service: Service) -> None:
    """Decide all open streams again; give up when a newer configuration comes meanwhile."""
    runtime = service.runtime
    streams = tuple(service.streams)
    for first in range(0, len(streams), BATCH):
        if service.runtime is not runtime:
            return
        batch = streams[first : first + BATCH]
        await asyncio.gather(
            *(
                _readmit(each, service, NO_LONGER_ADMITTED)
                for each in batch
                if each in service.streams
            )
        )


def _wait(stream: OpenStream, service: Service, *, least_s: float = 0.0) -> None:
    until_ns = stream.admitted_until_ns
    if until_ns is None:
        service.streams.expect(stream, None)
        return
    left_s = (until_ns - service.now_ns()) / NS_PER_S
    wait_s = min(max(left_s, least_s), LONGEST_WAIT_S)
    timer = asyncio.get_running_loop().call_later(wait_s, _look, stream, service)
    service.streams.expect(stream, timer)


def _look(stream: OpenStream, service: Service) -> None:
    """Ask again if it is time, else go on waiting."""
    if not _is_over(stream.admitted_until_ns, service):
        _wait(stream, service)
    else:
        _ask(stream, service)


def _ask(stream: OpenStream, service: Service) -> None:
    asking = asyncio.get_running_loop().create_task(_readmit(stream, service, ADMISSION_ENDED))
    service.streams.expect(stream, asking)


async def _readmit(stream: OpenStream, service: Service, reason: str) -> None:
    """Decide one stream again, and end it or let it go on; a newer configuration does it anew."""
    runtime = service.runtime
    admitted = await decided_again(stream, service)
    if service.runtime is not runtime or stream not in service.streams:
        return
    if admitted is None or _is_over(admitted.admitted_until_ns, service):
        stream.end(POLICY_VIOLATION, reason)
        return
    stream.admitted_until_ns = admitted.admitted_until_ns
    _wait(stream, service, least_s=SHORTEST_RENEWAL_S)


def _is_over(until_ns: int | None, service: Service) -> bool:
    return until_ns is not None and until_ns <= service.now_ns()


async def decided_again(stream: OpenStream, service: Service) -> Exchange | None:
    """Return the exchange that the current configuration lets through; None for none."""
    served = service.runtime.endpoints.find(stream.request.url.host)
    if served is None or served.upstream is None or served.endpoint.id != stream.endpoint_id:
        return None
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await _decided(stream, served, service)
    except TimeoutError:
        return None
    except Exception as error:  # noqa: BLE001 - a fault of ours must not keep a stream open
        asyncio.get_running_loop().call_exception_handler(
            {"message": "a stream could not be decided again", "exception": error}
        )
        return None


async def _decided(stream: OpenStream, served: ServedEndpoint, service: Service) -> Exchange | None:
    surroundings = service.runtime.surroundings
    connected = Exchange(
        connection=stream.connection,
        endpoint=served.endpoint,
        surroundings=surroundings,
        is_readmission=True,
    )
    if not await _lets_through(Phase.ON_TCP_CONNECT, stream, served, connected, service):
        return None
    asked = Exchange(
        connection=stream.client,
        endpoint=served.endpoint,
        surroundings=surroundings,
        request=_sent_again(stream.request),
        results=connected.results,
        is_readmission=True,
    )
    begin_request(served.policy, asked)
    lets_through = await _lets_through(Phase.ON_HTTP_REQUEST, stream, served, asked, service)
    return asked if lets_through else None


def _sent_again(request: Request) -> Request:
    # A copy: actions change it in place, and the next time wants it as it was.
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
    raised: Exception | None = None
    while True:
        try:
            effect = steps.send(answer) if raised is None else steps.throw(raised)
        except StopIteration as end:
            return isinstance(end.value.outcome, Continue)
        raised = None
        if not isinstance(effect, ReadBody):
            try:
                answer = answer_effect(effect, service)
                if isinstance(answer, asyncio.Future):
                    answer = await answer
            except Exception as error:  # noqa: BLE001 - it is for the action, which asked
                raised = error
        elif not stream.has_body:
            answer = b""
        else:
            return False
