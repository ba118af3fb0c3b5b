"""The request as it leaves for the upstream: its head, and its body in our own framing."""

from __future__ import annotations

from typing import Final

from policy.exchange import Exchange, Request
from policy.fields import Fields
from policy.forwarding import forwardable_trailers, upstream_fields, upstream_wire
from proxy.http1.body import chunk, last_chunk
from proxy.http1.request_head import CHUNKED, RequestHead
from proxy.message import passing_request_head, render_request_head
from proxy.websocket import EXTENSIONS

# We frame the body ourselves, and have answered the expectation ourselves. Both are NOTABLE.
OURS: Final = frozenset({"content-length", "expect"})


def upstream_head(
    exchange: Exchange,
    request: Request,
    head: RequestHead,
    *,
    base_path: str,
    owned: frozenset[str],
    websocket: bool,
) -> bytes:
    """Spell the head; raises InjectedLine.

    `base_path` stands before the path, `owned` are the names that only the policy may use.
    """
    target = request.url.uri
    if base_path and target != "*":
        target = base_path + target
    # A rewritten target may hold a value that came with the request.
    if not websocket and (request.received_url is None or is_one_line(target)):
        wire = upstream_wire(exchange, request, owned=owned, framing=OURS)
        if wire is not None:
            return passing_request_head(request.method, target, wire, head.length)
    lines = upstream_fields(exchange, owned=owned, websocket=websocket)
    if websocket:
        # No extension is ever agreed on: it could hide what frames are made of (T-WS-5).
        lines = [line for line in lines if line[0].lower() != EXTENSIONS]
    lines = [line for line in lines if line[0].lower() not in OURS]
    return render_request_head(request.method, target, lines, head.length)


def is_one_line(target: str) -> bool:
    """Tell whether a target can be written as it is."""
    return target.isascii() and target.isprintable()


def framed(
    content: bytes, length: int, *, ended: bool, trailers: Fields, owned: frozenset[str]
) -> bytes:
    """Frame content of a body whose head said `length`; trailers go with its end."""
    if length != CHUNKED:
        return content
    data = chunk(content) if content else b""
    if not ended:
        return data
    passing = tuple(forwardable_trailers(trailers, owned=owned)) if trailers else ()
    return data + last_chunk(passing)
