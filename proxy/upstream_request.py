"""The request as it leaves for the upstream: its head, and its body in our own framing."""

from __future__ import annotations

from policy.exchange import Exchange, Request
from policy.fields import Fields
from policy.forwarding import (
    forwardable_trailers,
    own_forwarded_lines,
    passes_whole,
    upstream_fields,
)
from proxy.endpoint import ServedEndpoint
from proxy.http1.body import chunk, last_chunk
from proxy.http1.request_head import CHUNKED, RequestHead
from proxy.message import WITH_CONTENT, passed_on_request_head, render_request_head
from proxy.websocket import EXTENSIONS

# We frame the body ourselves, and have answered the expectation ourselves.
OURS = frozenset({"content-length", "expect"})


def upstream_head(
    exchange: Exchange,
    request: Request,
    head: RequestHead,
    served: ServedEndpoint,
    *,
    websocket: bool,
) -> bytes:
    """Spell the head; raises InjectedLine."""
    target = request.url.uri
    if target != "*" and served.upstream is not None:
        target = served.upstream.base_path + target
    fields = request.headers
    unframed = OURS.isdisjoint(fields.by_name)
    if (
        fields.as_received
        and unframed
        and request.method not in WITH_CONTENT
        and request.received_url is None
        and not websocket
        and passes_whole(request)
    ):
        forwarded = own_forwarded_lines(exchange, request)
        return passed_on_request_head(request.method, target, head.field_bytes, forwarded)
    lines = upstream_fields(exchange, owned=served.policy.owned_headers, websocket=websocket)
    if websocket:
        # No extension is ever agreed on: it could hide what frames are made of (T-WS-5).
        lines = [line for line in lines if line[0].lower() != EXTENSIONS]
    if not unframed:
        lines = [line for line in lines if line[0].lower() not in OURS]
    return render_request_head(request.method, target, lines, head.length)


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
