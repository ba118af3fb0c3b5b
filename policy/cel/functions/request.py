"""Look-ups in the request and response, randomness and secrets: what needs the activation."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from policy.cel import emit
from policy.cel.declarations import Inline
from policy.cel.functions.define import function, plain
from policy.cel.types import BOOL, DOUBLE, INT, STRING, ListType
from policy.cel.values import CelError
from policy.phase import HTTP_PHASES, RESPONSE_PHASES

# Where an activation has the fields of the request and the response, by lower-case name.
REQUEST_FIELDS: Final = "exchange.request.headers.by_name"
RESPONSE_FIELDS: Final = "exchange.response.headers.by_name"


class HasFields(Protocol):
    """What has values by lower-case name."""

    @property
    def by_name(self) -> Mapping[str, Sequence[str]]:
        """The values."""


class Message(Protocol):
    """A request or a response."""

    @property
    def headers(self) -> HasFields:
        """Its fields."""


class Messages(Protocol):
    """A request and, later, its response."""

    @property
    def request(self) -> Message:
        """The request."""

    @property
    def response(self) -> Message:
        """The response."""


class Lookups(Protocol):
    """The attributes of an activation that these functions read."""

    exchange: Messages
    req_url_query_params: Mapping[str, Sequence[str]]
    req_cookies: Mapping[str, Sequence[object]]
    res_cookies: Mapping[str, Sequence[object]]

    def random_fraction(self) -> float:
        """Return a random number, 0 included, 1 not."""

    def random_integer(self, low: int, high: int) -> int:
        """Return a random integer, both ends included."""

    def secret(self, vault: str, name: str) -> str | None:
        """Return a secret, None if there is none."""


def request_header(values: Lookups, name: str) -> Sequence[str]:
    """Return the values of a request field."""
    return values.exchange.request.headers.by_name.get(name.lower(), ())


def has_request_header(values: Lookups, name: str) -> bool:
    """Tell whether the request has a field."""
    return name.lower() in values.exchange.request.headers.by_name


def query_parameter(values: Lookups, name: str) -> Sequence[str]:
    """Return the values of a query parameter."""
    return values.req_url_query_params.get(name, ())


def has_query_parameter(values: Lookups, name: str) -> bool:
    """Tell whether the query has a parameter."""
    return name in values.req_url_query_params


def has_request_cookie(values: Lookups, name: str) -> bool:
    """Tell whether the request has a cookie."""
    return name in values.req_cookies


def response_header(values: Lookups, name: str) -> Sequence[str]:
    """Return the values of a response field."""
    return values.exchange.response.headers.by_name.get(name.lower(), ())


def has_response_header(values: Lookups, name: str) -> bool:
    """Tell whether the response has a field."""
    return name.lower() in values.exchange.response.headers.by_name


def has_response_cookie(values: Lookups, name: str) -> bool:
    """Tell whether the response sets a cookie."""
    return name in values.res_cookies


def _values_in(fields: str) -> Inline:
    """Write a look-up in header fields as plain Python."""

    def inline(arguments: list[ast.expr]) -> ast.expr:
        by_name = emit.path(arguments[0], fields)
        return emit.method(by_name, "get", emit.lowered(arguments[1]), emit.constant(()))

    return inline


def _is_in(fields: str) -> Inline:
    """Write a test for a header field as plain Python."""

    def inline(arguments: list[ast.expr]) -> ast.expr:
        return emit.compare(emit.lowered(arguments[1]), "in", emit.path(arguments[0], fields))

    return inline


def random_double(values: Lookups) -> float:
    """Return a random double, 0 included, 1 not."""
    return values.random_fraction()


def random_int(values: Lookups, low: int = 0, high: int = 1) -> int:
    """Return a random int, both ends included."""
    if not 0 <= low <= high:
        raise CelError("bad-argument", "rand.int() takes two ends that are in order, from 0 on")
    return values.random_integer(low, high)


def secret(values: Lookups, vault: str, name: str) -> str:
    """Return a secret. Raises CelError if there is none of that name."""
    found = values.secret(vault, name)
    if found is None:
        raise CelError("unknown-secret", "there is no such secret")
    return found


_LENIENT: Final = ListType(STRING, missing="")

REQUEST_FUNCTIONS: Final = (
    function(
        "getReqHeader",
        "The values of a request header; empty without it.",
        plain(
            (STRING,),
            _LENIENT,
            request_header,
            raises=False,
            inline=_values_in(REQUEST_FIELDS),
        ),
        phases=HTTP_PHASES,
        needs_activation=True,
    ),
    function(
        "hasReqHeader",
        "Whether the request has a header.",
        plain(
            (STRING,),
            BOOL,
            has_request_header,
            raises=False,
            inline=_is_in(REQUEST_FIELDS),
        ),
        phases=HTTP_PHASES,
        needs_activation=True,
    ),
    function(
        "getQueryParam",
        "The values of a query parameter; empty without it.",
        plain((STRING,), _LENIENT, query_parameter, raises=False),
        phases=HTTP_PHASES,
        needs_activation=True,
    ),
    function(
        "hasQueryParam",
        "Whether the query has a parameter.",
        plain((STRING,), BOOL, has_query_parameter, raises=False),
        phases=HTTP_PHASES,
        needs_activation=True,
    ),
    function(
        "hasReqCookie",
        "Whether the request has a cookie.",
        plain((STRING,), BOOL, has_request_cookie, raises=False),
        phases=HTTP_PHASES,
        needs_activation=True,
    ),
    function(
        "getResHeader",
        "The values of a response header; empty without it.",
        plain(
            (STRING,), _LENIENT, response_header, raises=False, inline=_values_in(RESPONSE_FIELDS)
        ),
        phases=RESPONSE_PHASES,
        needs_activation=True,
    ),
    function(
        "hasResHeader",
        "Whether the response has a header.",
        plain(
            (STRING,),
            BOOL,
            has_response_header,
            raises=False,
            inline=_is_in(RESPONSE_FIELDS),
        ),
        phases=RESPONSE_PHASES,
        needs_activation=True,
    ),
    function(
        "hasResCookie",
        "Whether the response sets a cookie.",
        plain((STRING,), BOOL, has_response_cookie, raises=False),
        phases=RESPONSE_PHASES,
        needs_activation=True,
    ),
    function(
        "rand.double",
        "A random double, 0 included, 1 not.",
        plain((), DOUBLE, random_double, raises=False),
        needs_activation=True,
    ),
    function(
        "rand.int",
        "A random int between two ends, both included; 0 and 1 unless given.",
        plain((), INT, random_int, raises=False),
        plain((INT, INT), INT, random_int),
        needs_activation=True,
    ),
    function(
        "secrets.get",
        "A secret by the names of its vault and itself.",
        plain((STRING, STRING), STRING, secret),
        needs_activation=True,
        secret=True,
    ),
)
