from __future__ import annotations

import zlib
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import etree

from actions.saml.algorithms import STRICT
from actions.saml.authn_request import sign_in_url
from actions.saml.binding import receive_redirected
from actions.saml.names import EMAIL, POST
from actions.saml.refusal import MessageRefused
from actions.saml.schema import check_schema
from tests.exchanges import NOON_NS
from tests.saml import ACS, NS, REQUEST_ID, SP, ours, party, provider, service

KEY = "k" * 43


def url(by: Any = None, at: Any = None, **options: Any) -> str:
    return sign_in_url(
        REQUEST_ID, NOON_NS, by or provider(), at or service(), relay_state=KEY, **options
    )


def request(text: str) -> Any:
    packed = parse_qs(urlsplit(text).query)["SAMLRequest"][0]
    return etree.fromstring(zlib.decompress(b64decode(packed), -zlib.MAX_WBITS))


def test_a_request_says_what_we_want() -> None:
    root = request(url())
    check_schema(root)
    assert root.get("ID") == REQUEST_ID
    assert root.get("IssueInstant") == "2026-03-01T12:00:00Z"
    assert root.get("Destination") == "https://idp.example.com/sso"
    assert root.get("AssertionConsumerServiceURL") == ACS
    assert root.get("ProtocolBinding") == POST
    assert root.findtext("saml:Issuer", namespaces=NS) == SP
    policy = root.find("samlp:NameIDPolicy", NS)
    assert (policy.get("Format"), policy.get("AllowCreate")) == (EMAIL, "true")
    assert "ForceAuthn" not in root.attrib
    assert "IsPassive" not in root.attrib


def test_a_fresh_or_a_silent_authentication_can_be_asked_for() -> None:
    root = request(url(force_authn=True, is_passive=True))
    check_schema(root)
    assert root.get("ForceAuthn") == root.get("IsPassive") == "true"


def test_any_kind_of_name_can_be_asked_for() -> None:
    root = request(url(at=service(name_id_format="")))
    assert "Format" not in root.find("samlp:NameIDPolicy", NS).attrib


@pytest.mark.parametrize("kind", ["rsa-2048", "P-256"])
@pytest.mark.parametrize("wanted_by", ["provider", "us"])
def test_a_request_is_signed_where_either_wants_it(kind: str, wanted_by: str) -> None:
    at = service(private_key=party("sp", kind).pem, signs_requests=wanted_by == "us")
    text = url(provider(wants_requests_signed=wanted_by == "provider"), at)
    certificate = party("sp", kind).certificate
    found = receive_redirected(urlsplit(text).query, (certificate,), STRICT)
    assert found.relay_state == KEY


def test_without_a_wish_it_is_not_signed() -> None:
    assert "Signature" not in parse_qs(urlsplit(url()).query)


def test_a_wish_without_a_key_cannot_be_fulfilled() -> None:
    with pytest.raises(MessageRefused) as caught:
        url(provider(wants_requests_signed=True), service(private_key=None))
    assert caught.value.reason == "signing-key-missing"


def test_the_endpoints_own_query_stays() -> None:
    text = url(provider(sign_in_url="https://idp.example.com/sso?tenant=1"))
    assert text.startswith("https://idp.example.com/sso?tenant=1&SAMLRequest=")


def test_the_key_does_not_show() -> None:
    assert b"PRIVATE" not in url().encode()
    assert ours().pem.decode() not in repr(service())
