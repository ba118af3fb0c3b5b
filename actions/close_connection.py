"""close-connection: hang up without a word.

Phases  on_tcp_connect, on_http_request
Ends    the phase always: the client's connection is closed at once and no response is sent,
        so a scanner learns nothing, not even that HTTP is spoken here
"""

from __future__ import annotations

from policy.action import Action, ActionConfig, Close, Exchange, always
from policy.phase import Phase

CLOSED = "connection-closed"


class Config(ActionConfig):
    """There is nothing to configure."""


def run(_config: Config, _exchange: Exchange) -> Close[None]:
    """Close the connection."""
    return Close(reason=CLOSED)


ACTION = Action(
    name="close-connection",
    phases=frozenset({Phase.ON_TCP_CONNECT, Phase.ON_HTTP_REQUEST}),
    config=Config,
    run=run,
    terminates=always,
)
