"""`conn.tls.*` as expressions read it."""

from __future__ import annotations

import pytest

from policy.exchange import TlsSession
from tests import exchanges

SESSION = TlsSession(
    version="1.3",
    cipher_suite="TLS_AES_128_GCM_SHA256",
    sni="orders.example.com",
    negotiated_alpn="http/1.1",
    session_resumed=True,
)


@pytest.mark.parametrize(
    ("name", "with_tls", "without"),
    [
        ("version", "1.3", ""),
        ("cipher_suite", "TLS_AES_128_GCM_SHA256", ""),
        ("sni", "orders.example.com", ""),
        ("negotiated_alpn", "http/1.1", ""),
        ("session_resumed", True, False),
        ("ja4_fingerprint", "", ""),
    ],
)
def test_value(name: str, with_tls: object, without: object) -> None:
    assert exchanges.value(f"conn.tls.{name}", exchanges.exchange(tls=SESSION)) == with_tls
    assert exchanges.value(f"conn.tls.{name}", exchanges.exchange()) == without
