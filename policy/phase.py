"""The four points in a connection's life at which rules run (language spec, section 1.2)."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """A top-level key of a policy document, in the order in which phases run."""

    ON_TCP_CONNECT = "on_tcp_connect"
    ON_HTTP_REQUEST = "on_http_request"
    ON_HTTP_RESPONSE = "on_http_response"
    ON_EVENT_STREAM_MESSAGE = "on_event_stream_message"


ALL_PHASES = frozenset(Phase)
HTTP_PHASES = ALL_PHASES - {Phase.ON_TCP_CONNECT}
RESPONSE_PHASES = frozenset({Phase.ON_HTTP_RESPONSE, Phase.ON_EVENT_STREAM_MESSAGE})
