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
from typing import Annotated, NamedTuple

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
from policy.fields import Fields, NewLine
from policy.phase import Phase

# Their single line is a whole that others wrote too, so the policy does not own them.
SHARED = frozenset({"host", "cookie"})
REPLACED = SHARED | {"authorization"}

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    headers_added: Annotated[dict[str, str], Doc("The fields that were added.")]


class Added(NamedTuple):
    """The lines that are added, under lower-case names, and the outcome, always the same."""

    lines: tuple[NewLine, ...]
    outcome: Continue[Result]


def prepare(config: Config) -> Added:
    """Make the lines of the fields that have a value."""
    added = {name.lower(): value for name, value in config.headers.items() if value}
    lines = tuple(NewLine(name, value) for name, value in added.items())
    return Added(lines, Continue(Result(headers_added=added)))


def run(added: Added, exchange: Exchange) -> Continue[Result]:
    """Add the lines."""
    lines, outcome = added
    if exchange.phase is ON_HTTP_REQUEST:
        if exchange.request is not None:
            for line in lines:
                add_to_request(exchange.request, line)
    elif exchange.response is not None:
        for line in lines:
            exchange.response.headers.add_line(line)
    exchange.changed()
    return outcome


def add_to_request(request: Request, line: NewLine) -> None:
    """Set one field of the request."""
    name = line.key
    if name in REPLACED:
        replace(request.headers, line)
    else:
        request.headers.add_line(line)
    if name in request.withheld:
        request.withheld -= {name}


def replace(headers: Fields, line: NewLine) -> None:
    """Set a field of which a request has one."""
    name, value = line.pair
    if name == "host":
        headers.replace(name, value)
    elif name == "cookie" and (sent := headers.all(name)):
        headers.replace(name, "; ".join([*sent, value]))
    else:
        headers.remove(name)
        headers.add_line(line)


def owned_names(config: Config) -> frozenset[str]:
    """Return the names that clients of an endpoint with this action can't use."""
    return frozenset(name.lower() for name in config.headers) - SHARED


ACTION = Action(
    name="add-headers",
    phases=frozenset({Phase.ON_HTTP_REQUEST, Phase.ON_HTTP_RESPONSE}),
    config=Config,
    result=Result,
    prepare=prepare,
    run=run,
    sets_request_headers=owned_names,
)
