"""remove-headers: drop header fields of the request or the response.

Phases  on_http_request: fields towards the upstream, the forwarding fields that the proxy itself
        adds among them; on_http_response: fields towards the client
Ends    nothing
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

from actions.header_names import RemovedName
from policy.action import Action, ActionConfig, Continue, Doc, Exchange
from policy.config_types import HEADER_COUNT_LIMIT, AtMost, MinLen
from policy.exchange import Request, Response
from policy.fields import FieldName
from policy.phase import Phase

# A name of its own: looking a member up in its class is slow.
ON_HTTP_REQUEST = Phase.ON_HTTP_REQUEST


class Config(ActionConfig):
    headers: Annotated[
        list[RemovedName],
        MinLen(1),
        AtMost(HEADER_COUNT_LIMIT, "ERR_NGROK_2212", "too-many-headers"),
        Doc("Names of the fields to drop, 1 to 10, in any case."),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    headers_removed: Annotated[list[str], Doc("The names that were present, in lower case.")]


NONE_REMOVED = Continue(Result(headers_removed=[]))


class Removed(NamedTuple):
    """The names that go, `withheld` for what is added later, the outcome where all were there."""

    names: tuple[FieldName, ...]
    withheld: frozenset[str]
    outcome: Continue[Result]


def prepare(config: Config) -> Removed:
    """Look at the names."""
    lowered = [name.lower() for name in config.headers]
    outcome = Continue(Result(headers_removed=lowered))
    return Removed(tuple(map(FieldName, lowered)), frozenset(lowered), outcome)


def run(removed: Removed, exchange: Exchange) -> Continue[Result]:
    """Drop every line of each field."""
    names, withheld, all_removed = removed
    message: Request | Response | None = exchange.response
    if exchange.phase is ON_HTTP_REQUEST:
        message = exchange.request
        if exchange.request is not None:
            exchange.request.withheld |= withheld
    if message is None:
        return NONE_REMOVED
    found = message.headers.remove_all(names)
    if not found:
        return NONE_REMOVED
    exchange.changed()
    if len(found) == len(names):
        return all_removed
    return Continue(Result(headers_removed=found))


ACTION = Action(
    name="remove-headers",
    phases=frozenset({Phase.ON_HTTP_REQUEST, Phase.ON_HTTP_RESPONSE}),
    config=Config,
    result=Result,
    prepare=prepare,
    run=run,
)
