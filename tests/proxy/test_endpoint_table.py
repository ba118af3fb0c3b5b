"""Which endpoint answers for which Host: exact, then the longest wildcard, then the catch-all."""

from __future__ import annotations

import pytest

from policy.compiled import Policy
from policy.exchange import Endpoint
from proxy.endpoint import ServedEndpoint
from proxy.endpoint_table import EndpointTable


def served(host: str) -> ServedEndpoint:
    endpoint = Endpoint(
        id=host, name=host, url=f"http://{host}", protocol="http", host=host, port=80
    )
    return ServedEndpoint(endpoint=endpoint, policy=Policy(name=host), upstream=None)


HOSTS = [
    "app.example.com",
    "*.example.com",
    "*.eu.example.com",
    "*.com",
    "Mixed.Example.org",
    "::1",
]
TABLE = EndpointTable([served(host) for host in HOSTS])

CHOICES = [
    pytest.param("app.example.com", "app.example.com", id="exact wins over wildcard"),
    pytest.param("APP.Example.COM", "app.example.com", id="case plays no part"),
    pytest.param("mixed.example.org", "Mixed.Example.org", id="nor in the configuration"),
    pytest.param("other.example.com", "*.example.com", id="wildcard"),
    pytest.param("a.b.c.example.com", "*.example.com", id="wildcard at any depth"),
    pytest.param("x.app.example.com", "*.example.com", id="below an exact name"),
    pytest.param("a.eu.example.com", "*.eu.example.com", id="longest wildcard wins"),
    pytest.param("a.b.eu.example.com", "*.eu.example.com", id="longest wildcard, deeper"),
    pytest.param("eu.example.com", "*.example.com", id="a wildcard's own parent"),
    pytest.param("example.com", "*.com", id="parent belongs to the wildcard above"),
    pytest.param("::1", "::1", id="IPv6 literal"),
    pytest.param("com", None, id="no wildcard covers its own parent"),
    pytest.param("example.org", None, id="unknown"),
    pytest.param("app.example.com.evil.test", None, id="our name in front of another"),
    pytest.param("evilexample.org", None, id="no match inside a label"),
    pytest.param(".com", None, id="empty label"),
    pytest.param("*.nowhere.test", None, id="a star is no wildcard in a request"),
    pytest.param("", None, id="empty"),
]


@pytest.mark.parametrize(("host", "chosen"), CHOICES)
def test_the_most_specific_endpoint_answers(host: str, chosen: str | None) -> None:
    found = TABLE.find(host)
    assert (found and found.endpoint.host) == chosen


def test_the_catch_all_takes_what_nothing_else_does() -> None:
    table = EndpointTable([served("app.example.com")], catch_all=served("any"))
    assert table.find("app.example.com") is table.all()[0]
    assert table.find("whatever") is table.all()[1]


def test_a_single_endpoint_is_known_before_the_first_byte() -> None:
    assert EndpointTable([served("a.test")]).only is not None
    assert EndpointTable([], catch_all=served("any")).only is not None
    assert EndpointTable([served("a.test"), served("b.test")]).only is None
    assert EndpointTable([]).only is None
