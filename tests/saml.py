"""Makes SAML messages at test time: good ones, and ones that attackers would make.

Signing is done by xmlsec and encrypting by bare primitives, not by what is tested.
"""

from __future__ import annotations

import os
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID
from lxml import etree

from actions.saml.assertion_checks import Expected
from actions.saml.names import DS, EMAIL, SAML, SAMLP, XENC, XENC11
from actions.saml.parties import IdentityProvider, LogoutEndpoint, ServiceProvider
from actions.saml.response import Accepted, Refusal, Verdict, validate_response
from tests.exchanges import NOON_NS

IDP = "https://idp.example.com/metadata"
SP = "https://app.example.com/ngrok/saml/metadata"
ACS = "https://app.example.com/ngrok/saml/acs"
SLO = "https://app.example.com/ngrok/saml/slo"
IDP_SLO = "https://idp.example.com/slo"
REQUEST_ID = "_5f0c3c1d2e4b4a6f8a7b9c0d1e2f3a4b"
USER, ADMIN = "mia@example.com", "admin@example.com"
S_NS = 1_000_000_000
NS = {"samlp": SAMLP, "saml": SAML, "ds": DS, "xenc": XENC}
XMLSEC: Any = xmlsec

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Party:
    """A key with a certificate."""

    key: PrivateKey
    certificate: bytes

    @property
    def pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    @property
    def certificate_pem(self) -> str:
        loaded = x509.load_der_x509_certificate(self.certificate)
        return loaded.public_bytes(serialization.Encoding.PEM).decode()


@cache
def party(name: str, kind: str = "rsa-2048", *, expired: bool = False) -> Party:
    key: PrivateKey
    if kind.startswith("rsa-"):
        key = rsa.generate_private_key(public_exponent=65537, key_size=int(kind[4:]))
    else:
        curves: dict[str, ec.EllipticCurve] = {
            "P-256": ec.SECP256R1(),
            "P-384": ec.SECP384R1(),
            "P-521": ec.SECP521R1(),
            "secp256k1": ec.SECP256K1(),
        }
        key = ec.generate_private_key(curves[kind])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begin = datetime(2019 if expired else 2025, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=700))
        .sign(key, hashes.SHA256())
    )
    return Party(key, certificate.public_bytes(serialization.Encoding.DER))


def idp() -> Party:
    return party("idp")


def attacker() -> Party:
    return party("attacker")


def ours() -> Party:
    return party("sp")


def instant(seconds: float = 0) -> str:
    """Return a time so many seconds after noon."""
    moment = datetime.fromtimestamp(NOON_NS // S_NS, UTC) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def attribute(name: str, *values: str, name_format: str = "basic") -> str:
    inside = "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
    uri = f"urn:oasis:names:tc:SAML:2.0:attrname-format:{name_format}"
    return f'<saml:Attribute Name="{name}" NameFormat="{uri}">{inside}</saml:Attribute>'


@dataclass(frozen=True, kw_only=True)
class Assertion:
    """The text of an assertion, each part of which a test may change."""

    id: str = "_a1"
    attrs: str = ""
    version: str = "2.0"
    issued: str = instant(-5)
    issuer: str = f"<saml:Issuer>{IDP}</saml:Issuer>"
    name_id: str = f'<saml:NameID Format="{EMAIL}">{USER}</saml:NameID>'
    method: str = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
    confirmation: str = (
        f'Recipient="{ACS}" InResponseTo="{REQUEST_ID}" NotOnOrAfter="{instant(300)}"'
    )
    confirmations: str | None = None
    window: str = f'NotBefore="{instant(-60)}" NotOnOrAfter="{instant(300)}"'
    conditions: str = (
        f"<saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction>"
    )
    authn: str = f'AuthnInstant="{instant(-30)}" SessionIndex="s-1"'
    context: str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
    statements: str | None = None
    attributes: str = attribute("groups", "staff", "eng") + attribute("mail", USER)
    more: str = ""

    def text(self) -> str:
        confirmations = self.confirmations
        if confirmations is None:
            data = f"<saml:SubjectConfirmationData {self.confirmation}/>"
            confirmations = (
                f'<saml:SubjectConfirmation Method="{self.method}">{data}'
                "</saml:SubjectConfirmation>"
            )
        statements = self.statements
        if statements is None:
            statements = (
                f"<saml:AuthnStatement {self.authn}><saml:AuthnContext>"
                f"<saml:AuthnContextClassRef>{self.context}</saml:AuthnContextClassRef>"
                "</saml:AuthnContext></saml:AuthnStatement>"
            )
        attributes = self.attributes and (
            f"<saml:AttributeStatement>{self.attributes}</saml:AttributeStatement>"
        )
        return (
            f'<saml:Assertion xmlns:saml="{SAML}" ID="{self.id}" Version="{self.version}"'
            f' IssueInstant="{self.issued}" {self.attrs}>{self.issuer}'
            f"<saml:Subject>{self.name_id}{confirmations}</saml:Subject>"
            f"<saml:Conditions {self.window}>{self.conditions}</saml:Conditions>"
            f"{self.more}{statements}{attributes}</saml:Assertion>"
        )


SUCCESS = '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>'


@dataclass(frozen=True, kw_only=True)
class Response:
    """The text of a response around an assertion."""

    id: str = "_r1"
    attrs: str = f'Destination="{ACS}" InResponseTo="{REQUEST_ID}"'
    version: str = "2.0"
    issued: str = instant(-4)
    issuer: str = f"<saml:Issuer>{IDP}</saml:Issuer>"
    extensions: str = ""
    status: str = SUCCESS
    assertion: Assertion | str = field(default_factory=Assertion)

    def text(self) -> str:
        inside = self.assertion if isinstance(self.assertion, str) else self.assertion.text()
        return (
            f'<samlp:Response xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="{self.id}"'
            f' Version="{self.version}" IssueInstant="{self.issued}" {self.attrs}>'
            f"{self.issuer}{self.extensions}<samlp:Status>{self.status}</samlp:Status>"
            f"{inside}</samlp:Response>"
        )


def one(root: Any, path: str) -> Any:
    found = root.xpath(path, namespaces=NS)
    assert len(found) == 1, path
    return found[0]


def sign(
    element: Any,
    signer: Party | None = None,
    *,
    method: Any = None,
    digest: Any = None,
    prefixes: str | None = None,
) -> None:
    """Sign an element with an ID, as providers do: the signature comes behind the issuer."""
    signer = signer or idp()
    transform = XMLSEC.Transform
    usual = transform.RSA_SHA256
    if isinstance(signer.key, ec.EllipticCurvePrivateKey):
        usual = transform.ECDSA_SHA256
    signature = xmlsec.template.create(element, transform.EXCL_C14N, method or usual, ns="ds")
    element.insert(1, signature)
    reference = xmlsec.template.add_reference(
        signature, digest or transform.SHA256, uri=f"#{element.get('ID')}"
    )
    xmlsec.template.add_transform(reference, transform.ENVELOPED)
    canonical = xmlsec.template.add_transform(reference, transform.EXCL_C14N)
    if prefixes is not None:
        xmlsec.template.transform_add_c14n_inclusive_namespaces(canonical, prefixes.split())
    info = xmlsec.template.ensure_key_info(signature)
    xmlsec.template.add_x509_data(info)
    xmlsec.tree.add_ids(element, ["ID"])
    context = xmlsec.SignatureContext()
    key = xmlsec.Key.from_memory(signer.pem, XMLSEC.KeyFormat.PEM, None)
    key.load_cert_from_memory(signer.certificate, XMLSEC.KeyFormat.CERT_DER)
    context.key = key
    context.sign(signature)


def signed(
    response: Response | str | None = None, *, what: str = "assertion", **options: Any
) -> Any:
    """Return a signed response: `what` is 'assertion', 'response', 'both' or 'nothing'."""
    response = response or Response()
    root = etree.fromstring(response if isinstance(response, str) else response.text())
    if what in ("assertion", "both"):
        sign(one(root, "/samlp:Response/saml:Assertion"), **options)
    if what in ("response", "both"):
        sign(root, **options)
    return root


def encrypt(
    assertion: Any,
    *,
    cipher: str = "aes256-gcm",
    transport: str = "rsa-oaep-mgf1p",
    key_beside: bool = False,
    to: Party | None = None,
    plain: bytes | None = None,
) -> Any:
    """Return an EncryptedAssertion; `plain` instead of what the assertion is as text."""
    public = (to or ours()).key.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    size = int(cipher[3:6]) // 8
    key = os.urandom(size)
    data = etree.tostring(assertion, with_tail=False) if plain is None else plain
    if transport == "rsa-1_5":
        wrapped = public.encrypt(key, padding.PKCS1v15())
    else:
        used = hashes.SHA256() if transport == "rsa-oaep" else hashes.SHA1()
        wrapped = public.encrypt(key, padding.OAEP(padding.MGF1(used), used, None))
    if cipher.endswith("gcm"):
        nonce = os.urandom(12)
        content = nonce + AESGCM(key).encrypt(nonce, data, None)
    else:
        surplus = 16 - len(data) % 16
        padded = data + bytes(surplus - 1) + bytes([surplus])
        vector = os.urandom(16)
        encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
        content = vector + encryptor.update(padded) + encryptor.finalize()
    return encrypted_element(
        b64encode(wrapped).decode(),
        b64encode(content).decode(),
        cipher=cipher,
        transport=transport,
        key_beside=key_beside,
    )


def encrypted_element(
    wrapped: str, content: str, *, cipher: str, transport: str, key_beside: bool = False
) -> Any:
    spaces = {"aes128-gcm": XENC11, "aes192-gcm": XENC11, "aes256-gcm": XENC11}
    method = f'Algorithm="{(XENC11 if transport == "rsa-oaep" else XENC)}{transport}"'
    inside = ""
    if transport == "rsa-oaep":
        inside = (
            f'<ds:DigestMethod Algorithm="{XENC}sha256"/>'
            f'<x:MGF xmlns:x="{XENC11}" Algorithm="{XENC11}mgf1sha256"/>'
        )
    key = (
        f'<xenc:EncryptedKey Id="_k1"><xenc:EncryptionMethod {method}>{inside}'
        "</xenc:EncryptionMethod><xenc:CipherData>"
        f"<xenc:CipherValue>{wrapped}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>"
    )
    place = '<ds:RetrievalMethod URI="#_k1"/>' if key_beside else key
    return etree.fromstring(
        f'<saml:EncryptedAssertion xmlns:saml="{SAML}" xmlns:xenc="{XENC}" xmlns:ds="{DS}">'
        f'<xenc:EncryptedData Id="_d1" Type="{XENC}Element">'
        f'<xenc:EncryptionMethod Algorithm="{spaces.get(cipher, XENC)}{cipher}"/>'
        f"<ds:KeyInfo>{place}</ds:KeyInfo>"
        f"<xenc:CipherData><xenc:CipherValue>{content}</xenc:CipherValue></xenc:CipherData>"
        f"</xenc:EncryptedData>{key if key_beside else ''}</saml:EncryptedAssertion>"
    )


def encrypted(response: Response | None = None, *, what: str = "assertion", **options: Any) -> Any:
    """Return a response whose signed assertion is encrypted; with 'both', signed again around."""
    root = signed(response, what="nothing" if what in ("response", "nothing") else "assertion")
    assertion = one(root, "/samlp:Response/saml:Assertion")
    root.replace(assertion, encrypt(assertion, **options))
    if what in ("response", "both"):
        sign(root)
    return root


def provider(**changes: Any) -> IdentityProvider:
    values: dict[str, Any] = {
        "entity_id": IDP,
        "sign_in_url": "https://idp.example.com/sso",
        "signing_certificates": (idp().certificate,),
        "logout_endpoints": (
            LogoutEndpoint(
                binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
                url=IDP_SLO,
                response_url=IDP_SLO,
            ),
        ),
        **changes,
    }
    return IdentityProvider(**values)


def service(**changes: Any) -> ServiceProvider:
    values: dict[str, Any] = {
        "entity_id": SP,
        "assertion_url": ACS,
        "logout_url": SLO,
        "private_key": ours().pem,
        "certificate": ours().certificate,
        "name_id_format": EMAIL,
        **changes,
    }
    return ServiceProvider(**values)


EXPECTED = Expected(request_id=REQUEST_ID)


def posted(root: Any) -> str:
    data = root if isinstance(root, bytes) else etree.tostring(root)
    return b64encode(data).decode()


def judge(
    root: Any,
    *,
    by: IdentityProvider | None = None,
    at: ServiceProvider | None = None,
    expected: Expected = EXPECTED,
    now_ns: int = NOON_NS,
) -> Verdict:
    """Judge a response: an element, the octets of a document, or what stands in the form."""
    encoded = root if isinstance(root, str) else posted(root)
    return validate_response(encoded, by or provider(), at or service(), expected, now_ns)


def reason(root: Any, **options: Any) -> str:
    """Return why a response is refused, or 'accepted'."""
    verdict = judge(root, **options)
    if isinstance(verdict, Refusal):
        assert verdict.reason
        assert verdict.checks[-1].passed is False or any(not c.passed for c in verdict.checks)
        return verdict.reason
    assert all(check.passed for check in verdict.checks)
    return "accepted"


def accepted(root: Any, **options: Any) -> Accepted:
    verdict = judge(root, **options)
    assert isinstance(verdict, Accepted), verdict
    return verdict
