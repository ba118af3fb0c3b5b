"""remove-headers: drop header fields of the request or the response.

Phases  on_http_request: fields towards the upstream, the forwarding fields that the proxy itself
        adds among them; on_http_response: fields towards the client
Ends    nothing
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from actions.header_names import RemovedName
from policy.action import Action, ActionConfig, Continue, Doc, Exchange
from policy.config_types import HEADER_COUNT_LIMIT, AtMost, MinLen
from policy.fields import Fields
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

    @cached_property
    def names(self) -> list[str]:
        """The lower-case names."""
        return [name.lower() for name in self.headers]

    @cached_property
    def withheld(self) -> frozenset[str]:
        """The same names, for what is added later."""
        return frozenset(self.names)

    @cached_property
    def all_removed(self) -> Continue[Result]:
        """The outcome where all of them were there."""
        return Continue(Result(headers_removed=self.names))

    @cached_property
    def none_removed(self) -> Continue[Result]:
        """The outcome where none was there."""
        return Continue(Result(headers_removed=[]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    headers_removed: Annotated[list[str], Doc("The names that were present, in lower case.")]


def run(config: Config, exchange: Exchange) -> Continue[Result]:
    """Drop every line of each field."""
    request, response, names = exchange.request, exchange.response, config.names
    if exchange.phase is ON_HTTP_REQUEST and request is not None:
        removed = remove_all(request.headers, names)
        request.withheld |= config.withheld
    elif response is not None:
        removed = remove_all(response.headers, names)
    else:
        removed = []
    if not removed:
        return config.none_removed
    exchange.changed()
    if len(removed) == len(names):
        return config.all_removed
    return Continue(Result(headers_removed=removed))


def remove_all(headers: Fields, names: list[str]) -> list[str]:
    """Drop fields and return the names that were there."""
    return [name for name in names if headers.remove(name)]


ACTION = Action(
    name="remove-headers",
    phases=frozenset({Phase.ON_HTTP_REQUEST, Phase.ON_HTTP_RESPONSE}),
    config=Config,
    result=Result,
    run=run,
)
