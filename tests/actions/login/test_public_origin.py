"""The origin that redirect URIs and cookies are made for (T-RD-5)."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from actions.login.public_origin import public_origin
from policy.exchange import Exchange
from tests import exchanges


def asked(url: str, host: str) -> Exchange:
    parts = urlsplit(url)
    endpoint = replace(
        exchanges.ENDPOINT,
        url=url,
        protocol=parts.scheme,
        host=parts.hostname or "",
        port=parts.port or {"https": 443, "http": 80}[parts.scheme],
    )
    made = exchanges.exchange(exchanges.request(host=host, scheme=parts.scheme))
    made.endpoint = endpoint
    return made


@pytest.mark.parametrize(
    ("url", "host", "expected"),
    [
        ("https://orders.example.com", "orders.example.com", "https://orders.example.com"),
        ("https://orders.example.com", "evil.example", "https://orders.example.com"),
        ("https://orders.example.com", "orders.example.com:9", "https://orders.example.com"),
        ("https://orders.example.com:8443", "x", "https://orders.example.com:8443"),
        ("https://*.example.com", "a.example.com", "https://a.example.com"),
        ("http://127.0.0.1:4000", "127.0.0.1:4000", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000", "localhost:4000", "http://localhost:4000"),
        ("http://127.0.0.1:4000", "[::1]:4000", "http://[::1]:4000"),
        ("http://0.0.0.0:4000", "localhost:4000", "http://localhost:4000"),
        ("http://127.0.0.1:4000", "tunnel.example.net", None),
        ("http://127.0.0.1:4000", "localhost.evil.example", None),
        ("http://0.0.0.0:4000", "192.0.2.7:4000", None),
    ],
)
def test_only_what_the_operator_wrote_or_this_machine_names_it(
    url: str, host: str, expected: str | None
) -> None:
    found = public_origin(asked(url, host))
    assert (None if found is None else found.text) == expected
