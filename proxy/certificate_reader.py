"""Reads certificates into the form that policies see."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID, SignatureAlgorithmOID

from policy.cel import Timestamp
from policy.certificate import (
    NO_CERTIFICATE,
    AlternativeNames,
    Certificate,
    DistinguishedName,
    Extension,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# What policies compare `signature_algorithm` with: the hash, then the kind of key.
SIGNATURE_NAMES = {
    SignatureAlgorithmOID.RSA_WITH_SHA256: "SHA256-RSA",
    SignatureAlgorithmOID.RSA_WITH_SHA384: "SHA384-RSA",
    SignatureAlgorithmOID.RSA_WITH_SHA512: "SHA512-RSA",
    SignatureAlgorithmOID.RSASSA_PSS: "RSA-PSS",
    SignatureAlgorithmOID.ECDSA_WITH_SHA256: "ECDSA-SHA256",
    SignatureAlgorithmOID.ECDSA_WITH_SHA384: "ECDSA-SHA384",
    SignatureAlgorithmOID.ECDSA_WITH_SHA512: "ECDSA-SHA512",
    SignatureAlgorithmOID.ED25519: "Ed25519",
}


def read_pem(data: bytes) -> Certificate:
    """Return a certificate in PEM; an empty one for what can't be read."""
    try:
        return described(x509.load_pem_x509_certificate(data))
    except ValueError:
        return NO_CERTIFICATE


def read_der(data: bytes) -> Certificate:
    """Return a certificate in DER; an empty one for what can't be read."""
    try:
        return described(x509.load_der_x509_certificate(data))
    except ValueError:
        return NO_CERTIFICATE


def described(certificate: x509.Certificate) -> Certificate:
    """Describe a certificate. Raises ValueError for one whose parts are malformed."""
    algorithm = certificate.signature_algorithm_oid
    return Certificate(
        issuer=distinguished_name(certificate.issuer),
        subject=distinguished_name(certificate.subject),
        san=alternative_names(certificate),
        serial_number=f"{certificate.serial_number:x}",
        signature_algorithm=SIGNATURE_NAMES.get(algorithm, algorithm.dotted_string),
        not_before=timestamp(certificate.not_valid_before_utc),
        not_after=timestamp(certificate.not_valid_after_utc),
        extensions=tuple(
            Extension(
                id=each.oid.dotted_string,
                critical=each.critical,
                value=each.value.public_bytes(),
            )
            for each in certificate.extensions
        ),
        pem=certificate.public_bytes(Encoding.PEM).decode("ascii"),
    )


def distinguished_name(name: x509.Name) -> DistinguishedName:
    """Take a name apart."""

    def parts(oid: x509.ObjectIdentifier) -> tuple[str, ...]:
        return tuple(str(each.value) for each in name.get_attributes_for_oid(oid))

    return DistinguishedName(
        text=name.rfc4514_string(),
        common_name=next(iter(parts(NameOID.COMMON_NAME)), ""),
        country=parts(NameOID.COUNTRY_NAME),
        locality=parts(NameOID.LOCALITY_NAME),
        organization=parts(NameOID.ORGANIZATION_NAME),
        organizational_unit=parts(NameOID.ORGANIZATIONAL_UNIT_NAME),
        postal_code=parts(NameOID.POSTAL_CODE),
        province=parts(NameOID.STATE_OR_PROVINCE_NAME),
        street_address=parts(NameOID.STREET_ADDRESS),
    )


def alternative_names(certificate: x509.Certificate) -> AlternativeNames:
    """Return the subject's other names; of kinds that policies don't know, none."""
    try:
        extension = certificate.extensions.get_extension_for_oid(
            ExtensionOID.SUBJECT_ALTERNATIVE_NAME
        )
    except x509.ExtensionNotFound:
        return AlternativeNames()
    names = extension.value
    if not isinstance(names, x509.SubjectAlternativeName):
        return AlternativeNames()
    return AlternativeNames(
        text=", ".join(labelled(names)),
        dns_names=tuple(names.get_values_for_type(x509.DNSName)),
        email_addresses=tuple(names.get_values_for_type(x509.RFC822Name)),
        ip_addresses=tuple(str(each) for each in names.get_values_for_type(x509.IPAddress)),
        uris=tuple(names.get_values_for_type(x509.UniformResourceIdentifier)),
    )


def labelled(names: x509.SubjectAlternativeName) -> Iterator[str]:
    """Write each name with its kind, in their order."""
    for name in names:
        match name:
            case x509.DNSName(value=value):
                yield f"DNS:{value}"
            case x509.RFC822Name(value=value):
                yield f"email:{value}"
            case x509.IPAddress(value=value):
                yield f"IP Address:{value}"
            case x509.UniformResourceIdentifier(value=value):
                yield f"URI:{value}"


def timestamp(moment: datetime) -> Timestamp:
    """Return a moment as the language has it."""
    return Timestamp(int((moment - EPOCH).total_seconds()) * 1_000_000_000)
