"""Certificates as policies see them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from policy.cel import Timestamp
from policy.certificate import NO_CERTIFICATE
from proxy.certificate_reader import read_der, read_pem

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def certificate() -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example"),
            x509.NameAttribute(NameOID.COMMON_NAME, "app.example.com"),
        ]
    )
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName("app.example.com"),
            x509.RFC822Name("ops@example.com"),
            x509.IPAddress(ip_address("192.0.2.1")),
            x509.UniformResourceIdentifier("spiffe://example/app"),
        ]
    )
    builder = x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")]),
        public_key=key.public_key(),
        serial_number=0xABC,
        not_valid_before=BEGIN,
        not_valid_after=BEGIN + timedelta(days=1),
    )
    return builder.add_extension(names, critical=True).sign(key, hashes.SHA256())


def test_all_parts_are_read() -> None:
    read = read_der(certificate().public_bytes(Encoding.DER))
    assert read.subject.text == "CN=app.example.com,O=Example,C=DE"
    assert (read.subject.common_name, read.subject.country) == ("app.example.com", ("DE",))
    assert read.issuer.common_name == "Test CA"
    assert read.san.text == (
        "DNS:app.example.com, email:ops@example.com, IP Address:192.0.2.1, URI:spiffe://example/app"
    )
    assert read.san.ip_addresses == ("192.0.2.1",)
    assert read.serial_number == "abc"
    assert read.signature_algorithm == "ECDSA-SHA256"
    assert read.not_before == Timestamp(1_767_225_600_000_000_000)
    assert read.not_after == Timestamp(1_767_312_000_000_000_000)
    assert [(each.id, each.critical) for each in read.extensions] == [("2.5.29.17", True)]
    assert read.pem.startswith("-----BEGIN CERTIFICATE-----\n")


def test_a_certificate_in_pem_is_the_same() -> None:
    own = certificate()
    read = read_pem(own.public_bytes(Encoding.PEM))
    assert read == read_der(own.public_bytes(Encoding.DER))


def test_what_is_no_certificate_is_an_empty_one() -> None:
    assert read_pem(b"") == NO_CERTIFICATE
    assert read_der(b"") == NO_CERTIFICATE


@given(st.binary(max_size=200))
def test_any_bytes_are_read(data: bytes) -> None:
    assert read_der(data) == NO_CERTIFICATE
    assert read_pem(data) == NO_CERTIFICATE
