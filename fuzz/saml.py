"""Targets that read SAML messages and metadata."""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress

from actions.saml.algorithms import STRICT
from actions.saml.assertion_checks import Expected
from actions.saml.binding import receive_redirected
from actions.saml.logout import Posted, validate_posted_logout
from actions.saml.markup import MESSAGE, METADATA, parse
from actions.saml.metadata import parse_metadata
from actions.saml.names import DS, MD, REDIRECT, SAML, SAMLP
from actions.saml.parties import IdentityProvider, ServiceProvider
from actions.saml.refusal import MessageRefused
from actions.saml.response import Refusal, validate_response
from fuzz.target import Target, text_of
from policy.effect import BadDocument

NOBODY = IdentityProvider(
    entity_id="urn:idp", sign_in_url="https://idp.test/sso", signing_certificates=()
)
US = ServiceProvider(
    entity_id="urn:sp", assertion_url="https://a.test/acs", logout_url="https://a.test/slo"
)
EXPECTED = Expected(request_id="_q")


def saml_markup(data: bytes) -> None:
    """Leave nothing but elements and text in what is accepted."""
    for limits in (MESSAGE, METADATA):
        with suppress(MessageRefused):
            assert all(isinstance(node.tag, str) for node in parse(data, limits).iter())


def saml_response(data: bytes) -> None:
    """Without a certificate nobody signs in, whatever the message is."""
    encoded = b64encode(data).decode("ascii")
    for text in (encoded, text_of(data)):
        verdict = validate_response(text, NOBODY, US, EXPECTED, 0)
        assert isinstance(verdict, Refusal)
        assert verdict.reason


def saml_logout(data: bytes) -> None:
    form = Posted(name="SAMLRequest", encoded=b64encode(data).decode("ascii"))
    assert isinstance(validate_posted_logout(form, NOBODY, US, "_q", 0), Refusal)
    with suppress(MessageRefused):
        receive_redirected(text_of(data), (), STRICT)
        raise AssertionError("a query that nobody has signed")


def saml_metadata(data: bytes) -> None:
    with suppress(BadDocument):
        metadata = parse_metadata(data)
        assert all(provider.signing_certificates for provider in metadata.providers)


RESPONSE = (
    f'<p:Response xmlns:p="{SAMLP}" xmlns:a="{SAML}" ID="_r" Version="2.0"'
    ' IssueInstant="2026-03-01T12:00:00Z" Destination="https://a.test/acs" InResponseTo="_q">'
    '<a:Issuer>urn:idp</a:Issuer><p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:'
    'status:Success"/></p:Status><a:Assertion ID="_a" Version="2.0" '
    'IssueInstant="2026-03-01T12:00:00Z"><a:Issuer>urn:idp</a:Issuer>'
    f'<d:Signature xmlns:d="{DS}"><d:SignedInfo><d:CanonicalizationMethod Algorithm='
    '"http://www.w3.org/2001/10/xml-exc-c14n#"/><d:SignatureMethod Algorithm='
    '"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><d:Reference URI="#_a"><d:Transforms>'
    '<d:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>'
    '<d:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></d:Transforms>'
    '<d:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><d:DigestValue>AA=='
    "</d:DigestValue></d:Reference></d:SignedInfo><d:SignatureValue>AA==</d:SignatureValue>"
    "</d:Signature><a:Subject><a:NameID>u</a:NameID></a:Subject></a:Assertion></p:Response>"
)
LOGOUT = (
    f'<p:LogoutRequest xmlns:p="{SAMLP}" xmlns:a="{SAML}" ID="_l" Version="2.0"'
    ' IssueInstant="2026-03-01T12:00:00Z"><a:NameID>u</a:NameID></p:LogoutRequest>'
)
PROVIDER = (
    f'<m:EntityDescriptor xmlns:m="{MD}" xmlns:d="{DS}" entityID="urn:idp" '
    f'cacheDuration="PT1H"><m:IDPSSODescriptor protocolSupportEnumeration="{SAMLP}">'
    "<m:KeyDescriptor><d:KeyInfo><d:X509Data><d:X509Certificate>MIIB</d:X509Certificate>"
    "</d:X509Data></d:KeyInfo></m:KeyDescriptor><m:SingleSignOnService "
    f'Binding="{REDIRECT}" Location="https://idp.test/sso"/></m:IDPSSODescriptor>'
    "</m:EntityDescriptor>"
)
WORDS = ("<!DOCTYPE", "<!--", "-->", "<![CDATA[", "<?xml ", "&#x41;", "xmlns:x=", "ID=", SAML, DS)

SAML_TARGETS = (
    Target(
        name="saml-markup",
        run=saml_markup,
        seeds=(b"<a b='c'>d</a>", b"<?xml version='1.0'?><x:a xmlns:x='urn:x'/>"),
        words=WORDS,
    ),
    Target(
        name="saml-response",
        run=saml_response,
        seeds=(RESPONSE.encode(), b64encode(RESPONSE.encode())),
        words=WORDS,
    ),
    Target(
        name="saml-logout",
        run=saml_logout,
        seeds=(LOGOUT.encode(), b"SAMLRequest=a&RelayState=b&SigAlg=c&Signature=d"),
        words=WORDS,
    ),
    Target(name="saml-metadata", run=saml_metadata, seeds=(PROVIDER.encode(),), words=WORDS),
)
