"""Bounds on what one client or upstream may cost; every default is a safe one."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from policy.action import ActionConfig, Doc
from policy.config_types import Parsed, refusal

# They make a proxy connect anywhere, or hand credentials back to a script.
REFUSED_METHODS = frozenset({"CONNECT", "TRACE"})
# method = token (RFC 9110, section 9.1). Stricter: upper case, for `get` is GET to some servers.
METHOD = re.compile(r"[A-Z][A-Z0-9_-]{0,63}")


def read_method(text: str) -> str:
    """Read the name of a method; raises a refusal."""
    if METHOD.fullmatch(text) is None or text in REFUSED_METHODS:
        raise refusal(
            "method-not-possible",
            f"{text!r} is no method that can pass",
            hint="write it in upper case, such as SUBSCRIBE; CONNECT and TRACE never pass",
        )
    return text


MethodName = Annotated[str, Parsed(read_method, "method in upper case")]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(gt=0)]


class Limits(ActionConfig):
    """Bounds on what one client or upstream may cost. Times in seconds, sizes in bytes."""

    first_byte_timeout_s: Annotated[
        Seconds, Doc("A new connection may say nothing for so long.")
    ] = 30.0
    head_timeout_s: Annotated[
        Seconds, Doc("A request's head, or a TLS handshake, may take so long.")
    ] = 20.0
    body_idle_timeout_s: Annotated[
        Seconds, Doc("A request's body may make no progress, or be behind, for so long.")
    ] = 60.0
    # One byte per timeout would be progress without end. This is far below any real line.
    min_body_bytes_per_s: Annotated[
        int, Field(ge=0), Doc("A request's body that arrives slower is behind; 0: no minimum.")
    ] = 240
    keep_alive_timeout_s: Annotated[
        Seconds, Doc("A client's connection may wait so long for its next request.")
    ] = 75.0
    upstream_connect_timeout_s: Annotated[
        Seconds, Doc("Connecting to an upstream may take so long; then 504.")
    ] = 10.0
    upstream_head_timeout_s: Annotated[
        Seconds, Doc("An upstream may think so long before it answers; then 504.")
    ] = 300.0
    upstream_idle_timeout_s: Annotated[
        Seconds, Doc("An upstream may be silent so long inside a response.")
    ] = 300.0
    # Below the five seconds after which common servers close an idle connection: the one that
    # closes first decides whether a request is lost.
    upstream_keep_alive_timeout_s: Annotated[
        Seconds, Doc("An idle connection to an upstream is kept so long.")
    ] = 4.0
    upstream_max_age_s: Annotated[
        Seconds, Doc("A connection to an upstream takes no new request after so long.")
    ] = 300.0
    # Event streams and WebSockets may be silent for long; a dead peer shows sooner than this.
    stream_idle_timeout_s: Annotated[
        Seconds, Doc("An event stream or WebSocket may be silent so long.")
    ] = 24 * 3600.0
    websocket_close_timeout_s: Annotated[
        Seconds, Doc("A WebSocket may take so long to close once one side has begun to.")
    ] = 10.0
    max_websocket_message_bytes: Annotated[
        Count, Doc("One message of a WebSocket; beyond it the connection is closed with 1009.")
    ] = 64 * 1024 * 1024
    # How long the rest of an unwanted body is read, and a client's half-closed connection kept.
    drain_timeout_s: Annotated[Seconds, Doc("The rest of an unwanted body is read so long.")] = 5.0
    half_close_timeout_s: Annotated[Seconds, Doc("A half-closed connection is kept so long.")] = 1.0
    stop_timeout_s: Annotated[
        Seconds, Doc("Requests in flight may take so long when Penstock stops.")
    ] = 30.0
    max_request_line_bytes: Annotated[Count, Doc("Request line; beyond it 414.")] = 8192
    max_field_line_bytes: Annotated[Count, Doc("One line of a request's head; beyond it 431.")] = (
        8192
    )
    max_fields: Annotated[Count, Doc("Lines of a request's head; beyond them 431.")] = 100
    max_head_bytes: Annotated[Count, Doc("A request's whole head; beyond it 431.")] = 65536
    max_response_head_bytes: Annotated[Count, Doc("A response's whole head; beyond it 502.")] = (
        262144
    )
    max_response_fields: Annotated[Count, Doc("Lines of a response's head; beyond them 502.")] = 200
    max_drained_body_bytes: Annotated[
        Count, Doc("So much of an unwanted body is read before the connection is closed.")
    ] = 262144
    max_buffered_body_bytes: Annotated[Count, Doc("A body that an action asked to see whole.")] = (
        10 * 1024 * 1024
    )
    additional_methods: Annotated[
        tuple[MethodName, ...], Doc("Methods that nobody registered and that pass all the same.")
    ] = ()
    max_key_set_age_s: Annotated[
        Seconds, Doc("A key set serves so long after its last fetch, while its issuer is down.")
    ] = 24 * 3600.0
    max_connections: Annotated[Count, Doc("Clients' connections at a time.")] = 10_000
    max_connections_per_address: Annotated[
        Count, Doc("Connections of one address, or IPv6 network of 64 bits, at a time.")
    ] = 1_000
    max_upstream_idle_connections: Annotated[
        Count, Doc("Idle connections kept to one upstream.")
    ] = 100
