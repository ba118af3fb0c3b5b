from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from hypothesis import given
from hypothesis import strategies as st

from actions.saml.metadata import Metadata, is_safe_url, parse_metadata
from actions.saml.names import DS, MD, POST, REDIRECT, SAMLP
from policy.effect import BadDocument
from tests.exchanges import NOON_NS
from tests.saml import IDP, S_NS, Party, idp, party

SSO = "https://idp.example.com/sso?tenant=1"


def key(signer: Party, use: str = 'use="signing"') -> str:
    lines = b64encode(signer.certificate).decode()
    spaced = "\n      ".join(lines[at : at + 64] for at in range(0, len(lines), 64))
    return (
        f"<md:KeyDescriptor {use}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>\n{spaced}\n"
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )


def endpoint(name: str, binding: str, url: str, more: str = "") -> str:
    return f'<md:{name} Binding="{binding}" Location="{url}" {more}/>'


SIGN_IN = endpoint("SingleSignOnService", REDIRECT, SSO)


def entity(
    *,
    entity_id: str = IDP,
    attrs: str = "",
    role: str = "",
    protocols: str = SAMLP,
    keys: str | None = None,
    inside: str = SIGN_IN,
) -> str:
    return (
        f'<md:EntityDescriptor xmlns:md="{MD}" xmlns:ds="{DS}" entityID="{entity_id}" {attrs}>'
        f'<md:IDPSSODescriptor protocolSupportEnumeration="{protocols}" {role}>'
        f"{key(idp()) if keys is None else keys}{inside}"
        "</md:IDPSSODescriptor></md:EntityDescriptor>"
    )


def entities(*each: str, attrs: str = "") -> str:
    return f'<md:EntitiesDescriptor xmlns:md="{MD}" {attrs}>{"".join(each)}</md:EntitiesDescriptor>'


def parsed(text: str | bytes) -> Metadata:
    return parse_metadata(text if isinstance(text, bytes) else text.encode())


def refused(text: str | bytes) -> str:
    with pytest.raises(BadDocument) as caught:
        parsed(text)
    return caught.value.reason


def test_a_provider_is_read() -> None:
    inside = (
        endpoint("SingleLogoutService", POST, "https://idp.example.com/slo-post")
        + endpoint(
            "SingleLogoutService",
            REDIRECT,
            "https://idp.example.com/slo",
            'ResponseLocation="https://idp.example.com/slo-done"',
        )
        + "<md:NameIDFormat> urn:a </md:NameIDFormat><md:NameIDFormat>urn:b</md:NameIDFormat>"
        + endpoint("SingleSignOnService", POST, "https://idp.example.com/post")
        + SIGN_IN
    )
    found = parsed(entity(inside=inside, role='WantAuthnRequestsSigned="true"')).provider(None)
    assert found is not None
    assert (found.entity_id, found.sign_in_url, found.wants_requests_signed) == (IDP, SSO, True)
    assert found.signing_certificates == (idp().certificate,)
    assert found.name_id_formats == ("urn:a", "urn:b")
    redirect, post = found.logout_endpoint(REDIRECT), found.logout_endpoint(POST)
    assert redirect is not None
    assert post is not None
    assert redirect.response_url == "https://idp.example.com/slo-done"
    assert post.url == post.response_url == "https://idp.example.com/slo-post"
    assert found.logout_endpoint("urn:other") is None
    assert found.valid_until_ns is None


def test_all_signing_certificates_count_sa_20() -> None:
    old, new = party("old", expired=True), party("new", "P-384")
    keys = key(old) + key(new, "") + key(party("enc"), 'use="encryption"') + key(old)
    found = parsed(entity(keys=keys)).provider(None)
    assert found is not None
    assert found.signing_certificates == (old.certificate, new.certificate)


def test_certificates_that_are_too_weak_are_left_out_sa_20() -> None:
    weak = party("weak", "rsa-1024")
    found = parsed(entity(keys=key(weak) + key(idp()))).provider(None)
    assert found is not None
    assert found.signing_certificates == (idp().certificate,)
    assert refused(entity(keys=key(weak))) == "no-signing-certificate"


def test_authorities_above_a_certificate_sign_nothing() -> None:
    authority = party("authority")
    name = x509.load_der_x509_certificate(authority.certificate).subject
    issued = x509.load_der_x509_certificate(idp().certificate)
    certificate = (
        x509.CertificateBuilder(name, issued.subject)
        .public_key(issued.public_key())
        .serial_number(1)
        .not_valid_before(issued.not_valid_before_utc)
        .not_valid_after(issued.not_valid_after_utc)
        .sign(authority.key, hashes.SHA256())
    )
    leaf = Party(idp().key, certificate.public_bytes(serialization.Encoding.DER))
    middle = "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    start = '<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>'
    chain = key(leaf) + key(authority)
    chain = chain.replace(middle + start, "</ds:X509Certificate><ds:X509Certificate>")
    found = parsed(entity(keys=chain)).provider(None)
    assert found is not None
    assert found.signing_certificates == (leaf.certificate,)
    two = (key(idp()) + key(authority)).replace(
        middle + start, "</ds:X509Certificate><ds:X509Certificate>"
    )
    found = parsed(entity(keys=two)).provider(None)
    assert found is not None
    assert found.signing_certificates == (idp().certificate, authority.certificate)


def test_several_providers_go_by_their_entity_ids_sa_20() -> None:
    other = "https://other.example.com"
    found = parsed(entities(entity(), entities(entity(entity_id=other))))
    assert found.provider(None) is None
    assert [found.provider(name) is not None for name in (IDP, other, "x")] == [True, True, False]


def test_a_provider_that_cannot_be_used_leaves_the_others_usable() -> None:
    broken = entity(entity_id="urn:broken", inside="")
    service = f'<md:EntityDescriptor xmlns:md="{MD}" entityID="urn:sp"/>'
    found = parsed(entities(broken, service, entity()))
    assert found.provider(None) is not None
    assert found.unusable == (("urn:broken", "no-redirect-endpoint"),)
    assert refused(entities(broken, service)) == "no-redirect-endpoint"
    assert refused(entities(broken, broken)) == "no-identity-provider"


def test_the_earliest_end_counts_sa_20() -> None:
    until = [f'validUntil="2026-03-01T12:00:{at:02}Z"' for at in (3, 1, 2)]
    text = entities(entity(attrs=until[1], role=until[2]), attrs=until[0])
    found = parsed(text).provider(None)
    assert found is not None
    assert found.valid_until_ns == NOON_NS + S_NS


def test_the_shortest_cache_duration_counts() -> None:
    text = entities(entity(attrs='cacheDuration="PT6H"'), attrs='cacheDuration="P1DT1S"')
    assert parsed(text).cache_s == 6 * 3600
    assert parsed(entity()).cache_s is None


def test_published_documents_may_have_ornaments() -> None:
    text = f"\ufeff<?xml version='1.0' encoding='utf-8'?><!-- <x> -->{entity()}"
    assert parsed(text).provider(IDP) is not None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (entities(entity(), entity()), "metadata-entity-repeated"),
        (entity(entity_id=""), "metadata-ambiguous"),
        (entity(entity_id="x" * 1025), "metadata-ambiguous"),
        (entity().replace("</md:EntityDescriptor>",
                          entity()[entity().index("<md:IDPSSO"):]), "metadata-ambiguous"),
        (entity(protocols="urn:oasis:names:tc:SAML:1.1:protocol"), "no-identity-provider"),
        (entity(keys=""), "no-signing-certificate"),
        (entity(keys=key(idp(), 'use="encryption"')), "no-signing-certificate"),
        (entity(keys=key(idp()).replace("MII", "M*I", 1)), "certificate-malformed"),
        (entity(inside=endpoint("SingleSignOnService", POST, SSO)), "no-redirect-endpoint"),
        (entity(inside=endpoint("SingleSignOnService", REDIRECT, "http://idp.example.com/")),
         "endpoint-not-https"),
        (entity(inside=endpoint("SingleSignOnService", REDIRECT, "javascript:alert(1)")),
         "endpoint-not-https"),
        (entity(inside=SIGN_IN + endpoint("SingleLogoutService", POST, "http://x.test/")),
         "endpoint-not-https"),
        (entity(attrs='validUntil="soon"'), "metadata-time-malformed"),
        (entity(attrs='cacheDuration="1 day"'), "metadata-time-malformed"),
        ("<a/>", "not-metadata"),
        ("not found", "metadata-xml-malformed"),
        ("<!DOCTYPE html><html/>", "metadata-xml-document-type"),
        (f'<!DOCTYPE a [<!ENTITY a "b">]>{entity()}', "metadata-xml-document-type"),
        ("", "metadata-xml-malformed"),
    ],
)  # fmt: skip
def test_what_describes_nobody_is_refused_sa_20(text: Any, reason: str) -> None:
    assert refused(text) == reason


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://idp.example.com/sso?a=b", True),
        ("http://127.0.0.1:8080/sso", True),
        ("http://[::1]/sso", True),
        ("http://localhost/sso", False),
        ("http://10.0.0.1/sso", False),
        ("https://user@idp.example.com/", False),
        ("https://idp.example.com/user@tenant", True),
        ("https:///sso", False),
        ("https://idp.example.com/#x", False),
        ("https://idp.example.com/a b", False),
        ("https://idp.example.com/\r\nx", False),
        ("https://idp.example.com:99999/", False),
        ("https://[x/", False),
        ("", False),
    ],
)
def test_browsers_are_sent_to_safe_places_only(url: str, *, safe: bool) -> None:
    assert is_safe_url(url) is safe


@given(st.binary(max_size=100))
def test_any_document_is_read_or_refused(data: bytes) -> None:
    assert refused(data)
