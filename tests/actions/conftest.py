"""One exchange for the tests of actions: a GET with a few fields, and a response to it."""

from __future__ import annotations

import pytest

from policy.exchange import Connection, Endpoint, Exchange, Request, Response
from policy.fields import Fields
from policy.phase import Phase
from policy.url import parse_request_target
from tests import exchanges


@pytest.fixture
def request_() -> Request:
    return Request(
        method="GET",
        version="HTTP/1.1",
        url=parse_request_target("/old/page?a=1", scheme="https", authority="app.example.com"),
        headers=Fields(
            [("Host", "app.example.com"), ("Accept", "*/*"), ("User-Agent", "tester/1")]
        ),
        received_ns=0,
    )


@pytest.fixture
def exchange(request_: Request) -> Exchange:
    made = Exchange(
        connection=Connection(
            client_ip="203.0.113.9",
            client_port=40000,
            server_ip="10.0.0.1",
            server_port=443,
            started_ns=0,
        ),
        endpoint=Endpoint(
            id="ep",
            name="app",
            url="https://app.example.com",
            protocol="https",
            host="app.example.com",
            port=443,
        ),
        surroundings=exchanges.surroundings(now_ns=lambda: 0),
        request=request_,
        phase=Phase.ON_HTTP_REQUEST,
    )
    made.computed = object()
    return made


@pytest.fixture
def response_exchange(exchange: Exchange) -> Exchange:
    exchange.phase = Phase.ON_HTTP_RESPONSE
    exchange.response = Response(
        status_code=200, headers=Fields([("Server", "x"), ("Set-Cookie", "a"), ("set-cookie", "b")])
    )
    return exchange
