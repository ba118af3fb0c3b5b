"""add-headers: append header fields to the request or the response.

Phases  on_http_request: fields for the upstream; on_http_response: fields for the client
Ends    nothing

Appends, and never replaces, with these exceptions:
- `host` is replaced, since a request has one;
- `authorization` is replaced: the policy owns it, and two would be read in two ways;
- `cookie` gets its pairs behind the ones that are there (RFC 6265, section 5.4).

What a client sends under a name that this action sets on requests is removed before the first
rule, also when the rule does not match: an upstream may believe these fields. An empty value,
such as a claim that a user lacks, adds nothing for the same reason (T-HD-2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from actions.header_names import AddedName
from policy.action import Action, ActionConfig, Continue, Doc, Exchange
from policy.config_types import (
    HEADER_COUNT_LIMIT,
    AtMost,
    DistinctNames,
    HeaderValue,
    Interpolated,
    MinLen,
)
from policy.exchange import Request
from policy.phase import Phase

# Their single line is a whole that others wrote too, so the policy does not own them.
SHARED = frozenset({"host", "cookie"})

# A name of its own: looking a member up in its class is slow.
ON_HTTP_REQUEST = Phase.ON_HTTP_REQUEST


class Config(ActionConfig):
    headers: Annotated[
        dict[AddedName, HeaderValue],
        MinLen(1),
        DistinctNames(),
        AtMost(HEADER_COUNT_LIMIT, "ERR_NGROK_2212", "too-many-headers"),
        Interpolated(),
        Doc("Fields to add, 1 to 10; an empty value adds nothing."),
    ]

    @cached_property
    def lines(self) -> dict[str, str]:
        """What is added, by the lower-case names that go out."""
        return {name.lower(): value for name, value in self.headers.items() if value}

    @cached_property
    def added(self) -> Continue[Result]:
        """The outcome, the same for every request."""
        return Continue(Result(headers_added=self.lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    headers_added: Annotated[dict[str, str], Doc("The fields that were added.")]


def run(config: Config, exchange: Exchange) -> Continue[Result]:
    """Add the fields that have a value."""
    request, response = exchange.request, exchange.response
    if exchange.phase is ON_HTTP_REQUEST and request is not None:
        for name, value in config.lines.items():
            add_to_request(request, name, value)
    elif response is not None:
        for name, value in config.lines.items():
            response.headers.add(name, value)
    exchange.changed()
    return config.added


def add_to_request(request: Request, name: str, value: str) -> None:
    """Set one field of the request, of which a lower-case name is given."""
    headers = request.headers
    if name == "cookie" and (sent := headers.all("cookie")):
        headers.replace("cookie", "; ".join([*sent, value]))
    elif name == "host":
        headers.replace("host", value)
    else:
        if name == "authorization":
            headers.remove(name)
        headers.add(name, value)
    if name in request.withheld:
        request.withheld -= {name}


def owned_names(config: Config) -> frozenset[str]:
    """Return the names that clients of an endpoint with this action can't use."""
    return frozenset(name.lower() for name in config.headers) - SHARED


ACTION = Action(
    name="add-headers",
    phases=frozenset({Phase.ON_HTTP_REQUEST, Phase.ON_HTTP_RESPONSE}),
    config=Config,
    result=Result,
    run=run,
    sets_request_headers=owned_names,
)
