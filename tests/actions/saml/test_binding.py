from __future__ import annotations

import zlib
from base64 import b64encode
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.saml.algorithms import STRICT
from actions.saml.binding import (
    DEFLATE,
    decode_posted,
    encode_posted,
    receive_redirected,
    redirect_url,
)
from actions.saml.refusal import MessageRefused
from tests.saml import attacker, idp, party

XML = b"<a>\xc3\xa9</a>"
ENDPOINT = "https://app.example.com/slo"


def query(relay_state: str | None = "k +/\u00e9", endpoint: str = ENDPOINT) -> str:
    url = redirect_url(endpoint, "SAMLRequest", XML, relay_state=relay_state, key=idp().key)
    return urlsplit(url).query


def refused(text: str, *certificates: bytes) -> str:
    with pytest.raises(MessageRefused) as caught:
        receive_redirected(text, certificates or (idp().certificate,), STRICT)
    return caught.value.reason


@pytest.mark.parametrize("kind", ["rsa-2048", "P-256", "P-384", "P-521"])
@pytest.mark.parametrize("relay_state", ["k +/\u00e9", "", None])
def test_what_is_sent_is_received(kind: str, relay_state: str | None) -> None:
    signer = party("idp", kind)
    url = redirect_url(ENDPOINT, "SAMLResponse", XML, relay_state=relay_state, key=signer.key)
    found = receive_redirected(urlsplit(url).query, (signer.certificate,), STRICT)
    assert (found.name, found.xml, found.relay_state) == ("SAMLResponse", XML, relay_state)


def test_the_parameters_stand_in_the_order_of_the_standard() -> None:
    names = [part.partition("=")[0] for part in query().split("&")]
    assert names == ["SAMLRequest", "RelayState", "SigAlg", "Signature"]


def test_an_endpoint_may_have_a_query_of_its_own() -> None:
    text = query(endpoint=f"{ENDPOINT}?auth_id=x")
    assert text.startswith("auth_id=x&SAMLRequest=")
    assert receive_redirected(text, (idp().certificate,), STRICT).xml == XML


def test_without_a_key_there_is_no_signature() -> None:
    url = redirect_url(ENDPOINT, "SAMLRequest", XML, relay_state="k", key=None)
    assert set(parse_qs(urlsplit(url).query)) == {"SAMLRequest", "RelayState"}
    assert refused(urlsplit(url).query) == "signature-missing"


def parts() -> dict[str, str]:
    return dict(part.split("=", 1) for part in query().split("&"))


def joined(*names: str, **changes: str) -> str:
    values = {**parts(), **changes}
    return "&".join(f"{name}={values[name]}" for name in names)


ALL = ("SAMLRequest", "RelayState", "SigAlg", "Signature")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (joined("SAMLRequest", "RelayState"), "signature-missing"),
        (joined("SAMLRequest", "RelayState", "Signature"), "signature-missing"),
        (joined("SAMLRequest", "RelayState", "SigAlg"), "signature-missing"),
        (joined(*ALL, Signature=""), "signature-invalid"),
        (joined(*ALL, Signature="%25"), "message-encoding"),
        (joined(*ALL, SigAlg=""), "signature-algorithm"),
        (
            joined(*ALL, SigAlg=quote_plus("http://www.w3.org/2000/09/xmldsig#rsa-sha1")),
            "signature-algorithm",
        ),
        (
            joined(*ALL, SigAlg=quote_plus("http://www.w3.org/2001/04/xmldsig-more#rsa-sha512")),
            "signature-invalid",
        ),
        (joined(*ALL, RelayState="other"), "signature-invalid"),
        (joined("SAMLRequest", "SigAlg", "Signature"), "signature-invalid"),
        (joined(*ALL, SAMLRequest=parts()["SAMLRequest"].lower()), "signature-invalid"),
        (joined(*ALL).replace("%2F", "%2f").replace("%2B", "%2b"), "signature-invalid"),
        (joined("RelayState", "SAMLRequest", "SigAlg", "Signature"), "query-parameters"),
        (joined("SigAlg", "Signature", "SAMLRequest", "RelayState"), "query-parameters"),
        (joined("SAMLRequest", *ALL), "query-parameters"),
        (joined(*ALL, "RelayState"), "query-parameters"),
        (joined(*ALL, "SigAlg"), "query-parameters"),
        (joined("SAMLRequest", "SAMLResponse", *ALL[1:], SAMLResponse="x"), "query-parameters"),
        (joined("RelayState", "SigAlg", "Signature"), "query-parameters"),
        ("SAML%52equest=x&" + joined(*ALL), "query-parameters"),
        ("", "query-parameters"),
        ("SAMLRequest=%ff", "query-parameters"),
        ("SAMLRequest=\u00e9", "query-parameters"),
        (joined(*ALL) + "&SAMLEncoding=urn:other", "message-encoding"),
        ("SAMLRequest=" + "A" * 500_000, "message-too-large"),
    ],
    ids=range(25),
)
def test_anything_but_one_signed_message_is_refused_sa_19(text: str, reason: str) -> None:
    assert refused(text) == reason


def test_the_usual_encoding_may_be_named() -> None:
    text = query() + "&SAMLEncoding=" + quote_plus(DEFLATE)
    assert receive_redirected(text, (idp().certificate,), STRICT).xml == XML


def test_the_signature_is_over_the_octets_as_received_sa_19() -> None:
    # The same values in another spelling: what a server makes of it is the same, the octets not.
    assert refused(query("a b").replace("RelayState=a+b", "RelayState=a%20b")) == (
        "signature-invalid"
    )


def test_only_the_configured_certificates_count() -> None:
    assert refused(query(), attacker().certificate) == "signature-invalid"
    assert refused(query(), b"junk") == "signature-invalid"


def sent(packed: bytes) -> str:
    """Return a signed query with any octets in place of a deflated message."""
    from actions.saml.keys import own_method, sign

    text = f"SAMLRequest={quote_plus(b64encode(packed).decode())}"
    text += f"&SigAlg={quote_plus(own_method(idp().key).uri)}"
    signature = b64encode(sign(idp().key, text.encode())).decode()
    return f"{text}&Signature={quote_plus(signature)}"


def deflated(data: bytes) -> bytes:
    return zlib.compress(data, 9, -zlib.MAX_WBITS)


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (deflated(b" " * 100_000_000), "message-too-large"),
        (deflated(b" " * 262_145), "message-too-large"),
        (deflated(XML) + b"x", "message-encoding"),
        (deflated(XML)[:-1], "message-encoding"),
        (zlib.compress(XML), "message-encoding"),
        (XML, "message-encoding"),
        (b"", "message-encoding"),
    ],
    ids=["bomb", "too-much", "more", "less", "zlib", "plain", "empty"],
)
def test_inflating_is_bounded_and_whole_sa_19(packed: bytes, reason: str) -> None:
    assert refused(sent(packed)) == reason


def test_what_is_posted_comes_back() -> None:
    assert decode_posted(encode_posted(XML)) == XML


@given(st.text(max_size=60))
def test_any_form_field_is_decoded_or_refused(text: str) -> None:
    try:
        decode_posted(text)
    except MessageRefused as error:
        assert error.reason


@given(st.text(alphabet="SAMLRequestResponseRelayStateSigAlgSignature=&%+0", max_size=80))
def test_any_query_is_refused(text: str) -> None:
    assert refused(text)
