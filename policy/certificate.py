"""A certificate of a TLS handshake, as policies see it (language spec, section 3.5)."""

from __future__ import annotations

from dataclasses import dataclass, field

from policy.cel.values import Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class DistinguishedName:
    """Who a certificate is for, or who issued it. `text` is in the manner of RFC 2253."""

    text: str = ""
    common_name: str = ""
    country: tuple[str, ...] = ()
    locality: tuple[str, ...] = ()
    organization: tuple[str, ...] = ()
    organizational_unit: tuple[str, ...] = ()
    postal_code: tuple[str, ...] = ()
    province: tuple[str, ...] = ()
    street_address: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlternativeNames:
    """The other names of a certificate's subject. `text` lists them all."""

    text: str = ""
    dns_names: tuple[str, ...] = ()
    email_addresses: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """One extension: its object identifier and its DER-encoded value."""

    id: str
    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One certificate; every field is empty where there is none. The serial number is hex."""

    issuer: DistinguishedName = field(default_factory=DistinguishedName)
    subject: DistinguishedName = field(default_factory=DistinguishedName)
    san: AlternativeNames = field(default_factory=AlternativeNames)
    serial_number: str = ""
    signature_algorithm: str = ""
    not_before: Timestamp | None = None
    not_after: Timestamp | None = None
    extensions: tuple[Extension, ...] = ()
    pem: str = ""


NO_CERTIFICATE = Certificate()
