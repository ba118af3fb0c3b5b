"""`req.*` as expressions read it."""

from __future__ import annotations

import pytest

from policy.cel import Timestamp
from tests import exchanges

REQUEST = exchanges.request(
    "/shop/%7euser/?a=1&b=x%20y&a=2",
    method="POST",
    headers=[
        ("X-Team", "blue"),
        ("x-team", "red"),
        ("Cookie", "id=7; theme=dark; id=8"),
        ("Content-Type", "Application/JSON; charset=utf-8"),
        ("Content-Length", "12"),
        ("Content-Encoding", "gzip, br"),
        ("Location", "/there"),
        ("User-Agent", "curl/8.1.2"),
    ],
    host="orders.example.com:8443",
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("req.method", "POST"),
        ("req.version", "HTTP/1.1"),
        ("req.host", "orders.example.com:8443"),
        ("req.headers['X-TEAM']", ["blue", "red"]),
        ("req.headers['x-team'][1]", "red"),
        ("req.headers['x-none']", ()),
        ("req.headers['x-none'][0]", ""),
        ("'X-Team' in req.headers", True),
        ("'x-none' in req.headers", False),
        ("has(req.headers['x-team'])", True),
        ("has(req.headers['x-none'])", False),
        ("req.headers.exists_one(name, name == 'x-team')", True),
        ("size(req.trailers)", 0),
        ("req.cookies['id'][1].value", "8"),
        ("req.cookies['id'][0].name", "id"),
        ("req.cookies['none'][0].value", ""),
        ("req.cookies['id'][0].secure", False),
        ("req.content_length", 12),
        ("req.content_encoding", ["gzip", "br"]),
        ("req.content_type", "application/json"),
        ("req.content_type.parameters['charset']", "utf-8"),
        ("req.content_type.raw", "Application/JSON; charset=utf-8"),
        ("req.location", "/there"),
        ("req.url", "https://orders.example.com:8443/shop/~user/?a=1&b=x%20y&a=2"),
        ("req.url.authority", "orders.example.com:8443"),
        ("req.url.host", "orders.example.com"),
        ("req.url.port", 8443),
        ("req.url.path", "/shop/~user/"),
        ("req.url.raw_path", "/shop/%7euser/"),
        ("req.url.query", "a=1&b=x%20y&a=2"),
        ("req.url.query_params['a']", ["1", "2"]),
        ("req.url.query_params['b'][0]", "x y"),
        ("req.url.query_params['none'][0]", ""),
        ("req.url.scheme", "https"),
        ("req.url.uri", "/shop/~user/?a=1&b=x%20y&a=2"),
        ("req.url.user_password", ""),
        ("req.user_agent", "curl/8.1.2"),
        ("req.user_agent.name", "curl"),
        ("req.user_agent.version", "8.1.2"),
        ("req.user_agent.is_bot", False),
        ("req.ts.header_received", Timestamp(exchanges.NOON_NS)),
        ("req.ts.body_received", None),
        # Two in one: a string that is also the beginning of other names.
        ("req.url.contains('/shop/') && req.url.path.startsWith('/shop')", True),
    ],
)
def test_value(expression: str, expected: object) -> None:
    assert exchanges.value(expression, exchanges.exchange(REQUEST)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("req.content_length", 0),
        ("req.content_type", ""),
        ("req.content_encoding", []),
        ("req.location", ""),
        ("req.user_agent", ""),
        ("req.user_agent.name", ""),
        ("req.url.port", 0),
        ("req.cookies", {}),
        ("req.user_agent.is_mobile || req.user_agent.is_tablet", False),
        ("req.user_agent.is_desktop", False),
        ("req.user_agent.os + req.user_agent.os_version + req.user_agent.device", ""),
        ("req.user_agent.url", ""),
        ("req.url.raw", "https://orders.example.com/"),
    ],
)
def test_absent_data_reads_as_a_typed_zero(expression: str, expected: object) -> None:
    assert exchanges.value(expression, exchanges.exchange()) == expected


def test_changes_of_earlier_actions_are_seen() -> None:
    on = exchanges.exchange()
    assert exchanges.value("req.headers['x-new'][0]", on) == ""
    assert on.request is not None
    on.request.headers.add("x-new", "1")
    on.changed()
    assert exchanges.value("req.headers['x-new'][0]", on) == "1"


def test_a_received_body_has_a_time() -> None:
    on = exchanges.exchange(exchanges.request(body_received_ns=5))
    assert exchanges.value("req.ts.body_received", on) == Timestamp(5)
