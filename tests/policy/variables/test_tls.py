"""`conn.tls.*` as expressions read it."""

from __future__ import annotations

import pytest

from policy.cel import Timestamp
from policy.certificate import AlternativeNames, Certificate, DistinguishedName, Extension
from policy.exchange import TlsSession
from tests import exchanges

SESSION = TlsSession(
    version="1.3",
    cipher_suite="TLS_AES_128_GCM_SHA256",
    sni="orders.example.com",
    negotiated_alpn="http/1.1",
    session_resumed=True,
    read_server=lambda: Certificate(
        subject=DistinguishedName(
            text="CN=app,O=Example", common_name="app", organization=("Example",)
        ),
        san=AlternativeNames(text="DNS:app", dns_names=("app",)),
        serial_number="abc",
        not_after=Timestamp(5),
        extensions=(Extension(id="2.5.29.17", critical=True, value=b"x"),),
    ),
    read_client=lambda: Certificate(pem="PEM"),
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
        ("client.pem", "PEM", ""),
        ("client.subject", "", ""),
        ("server.subject", "CN=app,O=Example", ""),
        ("server.subject.common_name", "app", ""),
        ("server.subject.organization[0]", "Example", ""),
        ("server.issuer.country[0]", "", ""),
        ("server.san", "DNS:app", ""),
        ("server.san.dns_names", ("app",), ()),
        ("server.serial_number", "abc", ""),
        ("server.signature_algorithm", "", ""),
        ("server.validity.not_before", None, None),
        ("server.validity.not_after", Timestamp(5), None),
        ("server.extensions.exists(e, e.critical && e.id == '2.5.29.17')", True, False),
    ],
)
def test_value(name: str, with_tls: object, without: object) -> None:
    assert exchanges.value(f"conn.tls.{name}", exchanges.exchange(tls=SESSION)) == with_tls
    assert exchanges.value(f"conn.tls.{name}", exchanges.exchange()) == without
