"""Bounds on what one client or upstream may cost; every default is a safe one."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from policy.action import ActionConfig

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(gt=0)]


class Limits(ActionConfig):
    """Bounds on what one client or upstream may cost. Times in seconds, sizes in bytes."""

    first_byte_timeout_s: Seconds = 30.0
    head_timeout_s: Seconds = 20.0
    body_idle_timeout_s: Seconds = 60.0
    keep_alive_timeout_s: Seconds = 75.0
    upstream_connect_timeout_s: Seconds = 10.0
    upstream_head_timeout_s: Seconds = 300.0
    upstream_idle_timeout_s: Seconds = 300.0
    # Below the five seconds after which common servers close an idle connection: the one that
    # closes first decides whether a request is lost.
    upstream_keep_alive_timeout_s: Seconds = 4.0
    # Event streams and WebSockets may be silent for long; a dead peer shows sooner than this.
    stream_idle_timeout_s: Seconds = 24 * 3600.0
    # How long the rest of an unwanted body is read, and a client's half-closed connection kept.
    drain_timeout_s: Seconds = 5.0
    half_close_timeout_s: Seconds = 1.0
    stop_timeout_s: Seconds = 30.0
    max_request_line_bytes: Count = 8192
    max_field_line_bytes: Count = 8192
    max_fields: Count = 100
    max_head_bytes: Count = 65536
    max_response_head_bytes: Count = 262144
    max_response_fields: Count = 200
    max_drained_body_bytes: Count = 262144
    max_buffered_body_bytes: Count = 10 * 1024 * 1024
    max_connections: Count = 10_000
    max_connections_per_address: Count = 1_000
    max_upstream_idle_connections: Count = 100
