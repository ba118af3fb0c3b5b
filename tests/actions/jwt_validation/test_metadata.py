from __future__ import annotations

import pytest

from actions.jwt_validation.metadata import Metadata, metadata_request, parse_metadata
from policy.effect import BadDocument

PLACES = {
    "https://a.example.com": "https://a.example.com/.well-known/openid-configuration",
    "https://a.example.com/": "https://a.example.com/.well-known/openid-configuration",
    "https://a.example.com/t/1": "https://a.example.com/t/1/.well-known/openid-configuration",
    "http://127.0.0.1:8080/": "http://127.0.0.1:8080/.well-known/openid-configuration",
    "http://a.example.com/": None,
    "https://user@a.example.com/": None,
    "https://a.example.com/?x": None,
    "https:///": None,
    "https://[x/": None,
    "orders-issuer": None,
    "": None,
}


@pytest.mark.parametrize(("issuer", "url"), PLACES.items())
def test_where_metadata_is(issuer: str, url: str | None) -> None:
    request = metadata_request(issuer)
    assert (None if request is None else request.url) == url


def test_metadata_names_issuer_and_key_set() -> None:
    data = b'{"issuer": "https://a/", "jwks_uri": "https://b/k", "x": [1]}'
    assert parse_metadata(data) == Metadata("https://a/", "https://b/k")


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"issuer": "a"}', b'{"issuer": 1, "jwks_uri": "k"}']
)
def test_what_is_no_metadata_is_refused(data: bytes) -> None:
    with pytest.raises(BadDocument, match="no-metadata"):
        parse_metadata(data)
