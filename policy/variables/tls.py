"""`conn.tls.*`: what the TLS handshake settled (language spec, section 3.5)."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any, TypeAlias

from policy.cel.types import (
    BOOL,
    BYTES,
    STRING,
    TIMESTAMP,
    CelType,
    ListType,
    NullableType,
    ObjectType,
)
from policy.exchange import Exchange, TlsSession
from policy.phase import HTTP_PHASES
from policy.variables.lazy import variable
from policy.variables.types import STRINGS

NO_TLS = TlsSession()
EXTENSION = ObjectType("tls_extension", {"id": STRING, "critical": BOOL, "value": BYTES})

# Below `conn.tls.client` and `conn.tls.server`: name, where the value stands in a Certificate,
# type and meaning. A name such as `issuer` is text and at once the beginning of others.
NAME_PARTS = (
    ("country", "countries"),
    ("locality", "localities"),
    ("organization", "organizations"),
    ("organizational_unit", "organizational units"),
    ("postal_code", "postal codes"),
    ("province", "states or provinces"),
    ("street_address", "street addresses"),
)
Part: TypeAlias = tuple[str, str, CelType, str]


def name_parts(who: str) -> tuple[Part, ...]:
    """Return the parts that tell of an issuer or a subject."""
    return (
        (who, f"{who}.text", STRING, f"The {who}, as text."),
        (f"{who}.common_name", f"{who}.common_name", STRING, f"The {who}'s common name."),
        *(
            (f"{who}.{part}", f"{who}.{part}", STRINGS, f"The {who}'s {plural}.")
            for part, plural in NAME_PARTS
        ),
    )


CERTIFICATE_PARTS: tuple[Part, ...] = (
    *name_parts("issuer"),
    *name_parts("subject"),
    ("san", "san.text", STRING, "All alternative names, as text."),
    ("san.dns_names", "san.dns_names", STRINGS, "Alternative host names."),
    ("san.email_addresses", "san.email_addresses", STRINGS, "Alternative e-mail addresses."),
    ("san.ip_addresses", "san.ip_addresses", STRINGS, "Alternative addresses."),
    ("san.uris", "san.uris", STRINGS, "Alternative URIs."),
    ("serial_number", "serial_number", STRING, "Serial number in hexadecimal."),
    ("signature_algorithm", "signature_algorithm", STRING, "Such as `SHA256-RSA`."),
    ("validity.not_before", "not_before", NullableType(TIMESTAMP), "Begin of validity."),
    ("validity.not_after", "not_after", NullableType(TIMESTAMP), "End of validity."),
    ("extensions", "extensions", ListType(EXTENSION), "Extensions as they stand there."),
)


class SessionVariables:
    """What the handshake settled; empty on plain HTTP."""

    exchange: Exchange

    @property
    def tls(self) -> TlsSession:
        """The session, or one with only zero values."""
        return self.exchange.connection.tls or NO_TLS

    @variable("conn.tls.version", STRING, "`1.2` or `1.3`.", phases=HTTP_PHASES)
    def conn_tls_version(self) -> str:
        return self.tls.version

    @variable("conn.tls.cipher_suite", STRING, "IANA name.", phases=HTTP_PHASES)
    def conn_tls_cipher_suite(self) -> str:
        return self.tls.cipher_suite

    @variable("conn.tls.sni", STRING, "Server name of the ClientHello.", phases=HTTP_PHASES)
    def conn_tls_sni(self) -> str:
        return self.tls.sni

    @variable("conn.tls.negotiated_alpn", STRING, "Protocol, else empty.", phases=HTTP_PHASES)
    def conn_tls_negotiated_alpn(self) -> str:
        return self.tls.negotiated_alpn

    @variable("conn.tls.session_resumed", BOOL, "An earlier session.", phases=HTTP_PHASES)
    def conn_tls_session_resumed(self) -> bool:
        return self.tls.session_resumed

    @variable(
        "conn.tls.ja4_fingerprint",
        STRING,
        "JA4 of the handshake; always empty, as the ClientHello is not captured.",
        phases=HTTP_PHASES,
    )
    def conn_tls_ja4_fingerprint(self) -> str:
        return ""

    @variable("conn.tls.client.pem", STRING, "The client's certificate in PEM.", phases=HTTP_PHASES)
    def conn_tls_client_pem(self) -> str:
        return self.tls.client.pem


def certificate_variables(side: str) -> Iterator[variable]:
    """Declare the variables of the client's or the server's certificate."""
    for name, path, type_, doc in CERTIFICATE_PARTS:
        declared = variable(f"conn.tls.{side}.{name}", type_, doc, phases=HTTP_PHASES)
        yield declared(reader(f"tls.{side}.{path}"))


def reader(path: str) -> Any:
    """Return the function that reads a value by its path from an activation."""
    return attrgetter(path)


# Two certificates of thirty values each: a table says it more plainly than sixty methods.
CertificateVariables: type = type(
    "CertificateVariables",
    (),
    {
        each.name.replace(".", "_"): each
        for side in ("client", "server")
        for each in certificate_variables(side)
    },
)


class TlsVariables(SessionVariables, CertificateVariables):  # type: ignore[misc]  # made above
    """Everything that a policy reads of the TLS session and its certificates."""
