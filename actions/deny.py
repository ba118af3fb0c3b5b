"""deny: refuse, with a status and nothing else.

Phases  on_tcp_connect, on_http_request
Ends    the phase always: an empty response with the status (RFC 9110, section 15.5.4 for the
        usual 403), or a closed connection in on_tcp_connect, where there is nobody to answer
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from policy.action import Action, ActionConfig, Close, Doc, Exchange, Respond, always
from policy.config_types import StatusRange
from policy.phase import Phase

DENIED = "denied"


class Config(ActionConfig):
    field_hints: ClassVar[Mapping[str, str]] = {
        "body": "deny sends no body: use custom-response",
        "headers": "deny sends no headers: use custom-response",
    }

    status_code: Annotated[int, StatusRange(), Doc("Status of the response.")] = 403


def run(config: Config, exchange: Exchange) -> Respond[None] | Close[None]:
    """Refuse the request or the connection."""
    if exchange.phase is Phase.ON_TCP_CONNECT:
        return Close(reason=DENIED)
    return Respond(status_code=config.status_code, reason=DENIED)


ACTION = Action(
    name="deny",
    phases=frozenset({Phase.ON_TCP_CONNECT, Phase.ON_HTTP_REQUEST}),
    config=Config,
    run=run,
    terminates=always,
    phases_without_config=frozenset({Phase.ON_TCP_CONNECT}),
)
