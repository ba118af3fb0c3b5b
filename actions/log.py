"""log: add an entry to the event that is emitted when the connection or request completes.

Phases  on_tcp_connect, on_http_request, on_http_response
Writes  one entry of `traffic_policy.logs`: {"metadata": {...}}, values with their own types
Ends    nothing, ever: a value that can't be computed is empty in the entry, because a record
        with a gap is worth more than a request that fails over its own log line
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from policy.action import Action, ActionConfig, Continue, Doc, Exchange
from policy.config_types import Interpolated
from policy.phase import Phase


class Config(ActionConfig):
    metadata: Annotated[
        dict[str, Any],
        Interpolated(typed=True, lenient=True),
        Doc("What to record: names and values of any shape."),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    metadata: Annotated[dict[str, Any], Doc("What was recorded.")]


def run(config: Config, exchange: Exchange) -> Continue[Result]:
    """Record one entry."""
    exchange.logs.append({"metadata": config.metadata})
    return Continue(Result(metadata=config.metadata))


ACTION = Action(
    name="log",
    phases=frozenset({Phase.ON_TCP_CONNECT, Phase.ON_HTTP_REQUEST, Phase.ON_HTTP_RESPONSE}),
    config=Config,
    result=Result,
    run=run,
)
