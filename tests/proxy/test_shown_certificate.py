"""What is kept of a certificate until a policy asks for it."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from policy.certificate import NO_CERTIFICATE
from proxy.shown_certificate import shown_by_peer, shown_by_us

ISSUED = trustme.CA().issue_cert("a.test")
OWN, *CHAIN = (each.bytes() for each in ISSUED.cert_chain_pems)
OTHER = trustme.CA().cert_pem.bytes()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(OWN, id="alone"),
        pytest.param(OWN + OTHER, id="with its chain"),
        pytest.param(ISSUED.private_key_pem.bytes() + OWN, id="behind its key"),
        pytest.param(b"Subject: a.test\n" + OWN, id="behind words"),
        pytest.param(OWN.replace(b"\n", b"\r\n"), id="with line ends of another system"),
        pytest.param(
            OWN.replace(b"BEGIN ", b"BEGIN X509 ").replace(b"END ", b"END X509 "), id="x509"
        ),
    ],
)
def test_the_first_certificate_of_a_file_is_the_servers_own(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "site.crt"
    path.write_bytes(content)
    pem = shown_by_us(path)().pem
    assert ssl.PEM_cert_to_DER_cert(pem) == ssl.PEM_cert_to_DER_cert(OWN.decode())


def test_what_a_file_says_later_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "site.crt"
    path.write_bytes(OWN)
    read = shown_by_us(path)
    path.write_bytes(OTHER)
    assert read().san.dns_names == ("a.test",)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA"])
def test_a_file_without_a_certificate_shows_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "site.crt"
    path.write_bytes(content)
    assert shown_by_us(path)() is NO_CERTIFICATE
    assert shown_by_us(tmp_path / "none")() is NO_CERTIFICATE


def test_a_peers_certificate_is_read_once() -> None:
    read = shown_by_peer(ssl.PEM_cert_to_DER_cert(OWN.decode()))
    assert read().san.dns_names == ("a.test",)
    assert read() is read()
    assert shown_by_peer(None)() is NO_CERTIFICATE
