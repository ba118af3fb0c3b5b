"""Bounds on what one client or upstream may cost; every default is a safe one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what one client or upstream may cost. Times in seconds, sizes in bytes."""

    first_byte_timeout_s: float = 30.0
    head_timeout_s: float = 20.0
    body_idle_timeout_s: float = 60.0
    keep_alive_timeout_s: float = 75.0
    upstream_connect_timeout_s: float = 10.0
    upstream_head_timeout_s: float = 300.0
    upstream_idle_timeout_s: float = 300.0
    # Below the five seconds after which common servers close an idle connection: the one that
    # closes first decides whether a request is lost.
    upstream_keep_alive_timeout_s: float = 4.0
    # Event streams and WebSockets may be silent for long; a dead peer shows sooner than this.
    stream_idle_timeout_s: float = 24 * 3600.0
    # How long the rest of an unwanted body is read, and a client's half-closed connection kept.
    drain_timeout_s: float = 5.0
    half_close_timeout_s: float = 1.0
    stop_timeout_s: float = 30.0
    max_request_line_bytes: int = 8192
    max_field_line_bytes: int = 8192
    max_fields: int = 100
    max_head_bytes: int = 65536
    max_response_head_bytes: int = 262144
    max_response_fields: int = 200
    max_drained_body_bytes: int = 262144
    max_buffered_body_bytes: int = 10 * 1024 * 1024
    max_connections: int = 10_000
    max_connections_per_address: int = 1_000
    max_upstream_idle_connections: int = 100
