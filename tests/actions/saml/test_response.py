from __future__ import annotations

import pickle
import random
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from actions.saml.assertion_checks import Expected
from actions.saml.names import PERSISTENT, SAML, TRANSIENT, UNSPECIFIED
from actions.saml.response import Accepted, Refusal, validate_response
from tests.exchanges import NOON_NS
from tests.saml import (
    ACS,
    ADMIN,
    EXPECTED,
    IDP,
    REQUEST_ID,
    S_NS,
    SP,
    USER,
    Assertion,
    Response,
    accepted,
    attribute,
    encrypted,
    idp,
    instant,
    judge,
    party,
    posted,
    provider,
    reason,
    service,
    signed,
)

UNASKED = Expected(request_id=None)
SCD = f'Recipient="{ACS}" InResponseTo="{REQUEST_ID}" NotOnOrAfter="{instant(300)}"'
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"


def why(*, what: str = "both", **changes: Any) -> str:
    """Return why a response with a changed assertion is refused."""
    return reason(signed(Response(assertion=Assertion(**changes)), what=what))


def why_response(*, what: str = "both", **changes: Any) -> str:
    return reason(signed(Response(**changes), what=what))


def test_an_assertion_says_who_has_signed_in() -> None:
    found = accepted(signed())
    assertion = found.assertion
    assert assertion.name_id.value == USER
    assert assertion.attributes == {"groups": ("staff", "eng"), "mail": (USER,)}
    assert (assertion.id, assertion.session_index) == ("_a1", "s-1")
    assert assertion.authn_instant_ns == NOON_NS - 30 * S_NS
    assert found.use_once_until_ns == NOON_NS + 360 * S_NS + 1
    subjects = [check.subject for check in found.checks]
    assert len(subjects) == len(set(subjects))
    assert {"document", "assertion signature", "audience", "subject confirmation"} <= set(subjects)


@pytest.mark.parametrize(
    ("what", "relaxed", "outcome"),
    [
        ("assertion", False, "accepted"),
        ("both", False, "accepted"),
        ("response", False, "assertion-not-signed"),
        ("response", True, "accepted"),
        ("nothing", False, "assertion-not-signed"),
        ("nothing", True, "assertion-not-signed"),
    ],
)
def test_an_assertion_must_be_signed(what: str, outcome: str, *, relaxed: bool) -> None:
    at = service(wants_assertions_signed=not relaxed)
    assert reason(signed(what=what), at=at) == outcome


def test_a_response_must_be_signed_where_that_is_wanted() -> None:
    at = service(wants_responses_signed=True)
    assert reason(signed(what="assertion"), at=at) == "response-not-signed"
    assert reason(signed(what="both"), at=at) == "accepted"


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (Response(assertion=Assertion().text() + Assertion(id="_a2").text()), "assertion-count"),
        (Response(assertion=""), "assertion-count"),
        (
            Response(assertion=Assertion(more=f"<saml:Advice>{Assertion(id='_a2').text()}"
                                              "</saml:Advice>")),
            "assertion-count",
        ),
        (
            Response(assertion=Assertion(attributes=attribute("a", Assertion(id="_a2").text()))),
            "assertion-count",
        ),
        (
            Response(extensions=f"<samlp:Extensions>{Assertion(id='_a2').text()}"
                                "</samlp:Extensions>"),
            "assertion-count",
        ),
        (
            Response(extensions=f"<samlp:Extensions>{Response(id='_r2', assertion='').text()}"
                                "</samlp:Extensions>"),
            "schema",
        ),
        (Response(assertion=Assertion(id="_r1")), "xml-id-repeated"),
        (Response(assertion=Assertion(attrs='Id="_b"')), "xml-id-misplaced"),
        (Response(assertion=Assertion(attrs='xml:id="_b"')), "xml-id-misplaced"),
        (Response(assertion=Assertion(attrs='other="_b"')), "schema"),
        (Response(id="1"), "schema"),
        (Response(status=""), "status"),
        (Response(issued="yesterday"), "schema"),
    ],
    ids=[
        "two", "none", "in-advice", "in-attribute", "in-extensions", "response-in-extensions",
        "same-id", "Id", "xml-id", "other-attribute", "id-no-name", "no-status", "no-time",
    ],
)  # fmt: skip
def test_there_is_one_assertion_in_its_place_sa_9(response: Response, outcome: str) -> None:
    assert reason(signed(response, what="response")) == outcome
    assert reason(signed(response, what="nothing")) == outcome


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        (USER, "admin@example.com<!-- -->.evil.test", "xml-comment"),
        (USER, f"{ADMIN}<?x y?>.evil.test", "xml-processing-instruction"),
        (USER, f"<![CDATA[{ADMIN}]]>", "xml-cdata"),
        (USER, "&user;", "xml-entity"),
        (USER, f"<saml:X/>{ADMIN}", "schema"),
        (f"<saml:Audience>{SP}", f"<saml:Audience>{SP}<!-- -->", "xml-comment"),
        (f"<saml:Audience>{SP}", f"<saml:Audience>{SP}<saml:X/>", "schema"),
        (">staff<", "><!-- -->staff<", "xml-comment"),
        (">staff<", "><b>staff</b><", "xml-not-plain-text"),
        (f"<saml:Issuer>{IDP}", f"<saml:Issuer>{IDP}<!-- -->", "xml-comment"),
        (f"<saml:Issuer>{IDP}", f"<saml:Issuer>{IDP}<saml:X/>", "schema"),
        ("</samlp:Response>", "</samlp:Response><!-- -->", "xml-comment"),
    ],
)
def test_text_is_nothing_but_text_sa_10(before: str, after: str, outcome: str) -> None:
    genuine = etree.tostring(signed(what="both")).decode()
    assert before in genuine
    # As an attacker changes a message after it was signed, and as one that was signed like this.
    changed = reason(genuine.replace(before, after, 1).encode())
    assert changed in (outcome, "signature-digest" if outcome == "xml-not-plain-text" else "")
    if outcome in ("xml-not-plain-text", "schema"):
        text = Response().text().replace(before, after)
        assert reason(signed(text, what="both")) == outcome


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (b"<!DOCTYPE a [<!ENTITY a 'b'>]>" + Response().text().encode(), "xml-document-type"),
        (Response().text().encode("utf-16"), "xml-encoding"),
        (b"\xef\xbb\xbf" + Response().text().encode(), "xml-encoding"),
        (b"<a>" * 10_000, "xml-too-complex"),
        (b"<a>" + b" " * 10_000_000 + b"</a>", "message-too-large"),
        (b"<a/>", "not-a-response"),
        (b"", "message-encoding"),
    ],
    ids=["doctype", "utf-16", "bom", "deep", "10-mb", "other", "empty"],
)
def test_what_is_no_plain_document_is_refused_sa_11(data: bytes, outcome: str) -> None:
    assert reason(data) == outcome


@pytest.mark.parametrize("namespace", ["relative", "../x", ""])
def test_what_has_no_canonical_form_is_refused_sa_13(namespace: str) -> None:
    text = Response().text().replace("<saml:Assertion ", f'<saml:Assertion xmlns:r="{namespace}" ')
    assert reason(text.encode()) == "xml-namespace"
    assert reason(b"<r:a/>") == "xml-malformed"


@pytest.mark.parametrize(
    ("destination", "outcome"),
    [
        (ACS, "accepted"),
        (ACS + "/", "destination"),
        (ACS + "?x", "destination"),
        (ACS[:-1], "destination"),
        (ACS.replace("https", "http"), "destination"),
        (ACS.upper(), "destination"),
        (f"https://evil.test/?{ACS}", "destination"),
        ("", "destination"),
    ],
)
def test_the_destination_is_exactly_ours_sa_14(destination: str, outcome: str) -> None:
    attrs = f'InResponseTo="{REQUEST_ID}" Destination="{destination}"'
    assert why_response(attrs=attrs) == outcome
    assert why_response(attrs=attrs, what="assertion") == outcome


def test_only_an_unsigned_response_may_leave_out_its_destination_sa_14() -> None:
    attrs = f'InResponseTo="{REQUEST_ID}"'
    assert why_response(attrs=attrs, what="both") == "destination"
    assert why_response(attrs=attrs, what="assertion") == "accepted"


@pytest.mark.parametrize(
    "confirmation",
    [
        SCD.replace(ACS, ACS + "/more"),
        SCD.replace(ACS, f"https://evil.test/?{ACS}"),
        SCD.replace(ACS, ACS[:-1]),
        f'InResponseTo="{REQUEST_ID}" NotOnOrAfter="{instant(300)}"',
    ],
    ids=["extends", "contains", "prefix", "missing"],
)
def test_the_recipient_is_exactly_ours_sa_14(confirmation: str) -> None:
    assert why(confirmation=confirmation) == "subject-confirmation"


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"conditions": ""}, "audience"),
        ({"conditions": "<saml:OneTimeUse/>"}, "audience"),
        ({"conditions": Assertion().conditions.replace(SP, SP + "/")}, "audience"),
        ({"conditions": Assertion().conditions.replace(SP, "https://other.test")}, "audience"),
        (
            {"conditions": Assertion().conditions
             + Assertion().conditions.replace(SP, "https://other.test")},
            "audience",
        ),
        (
            {"conditions": Assertion().conditions.replace(
                "</saml:Audience>", "</saml:Audience><saml:Audience>x:y</saml:Audience>")},
            "accepted",
        ),
        ({"conditions": Assertion().conditions + "<saml:OneTimeUse/>"}, "accepted"),
        ({"conditions": Assertion().conditions + '<saml:ProxyRestriction Count="0"/>'}, "accepted"),
        (
            {"conditions": Assertion().conditions
             + '<saml:Condition xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
               ' i:type="saml:OneTimeUseType"/>'},
            "condition-unknown",
        ),
        ({"issuer": "<saml:Issuer>https://other.test</saml:Issuer>"}, "issuer"),
        ({"issuer": f"<saml:Issuer>{IDP}/</saml:Issuer>"}, "issuer"),
        ({"issuer": f'<saml:Issuer Format="{PERSISTENT}">{IDP}</saml:Issuer>'}, "issuer"),
        ({"issuer": f"<saml:Issuer> {IDP} </saml:Issuer>"}, "issuer"),
        ({"version": "1.1"}, "version"),
    ],
    ids=[
        "no-condition", "no-audience", "longer", "other", "second-restriction", "two-audiences",
        "one-time-use", "proxy", "unknown", "issuer", "issuer-longer", "issuer-format",
        "issuer-spaces", "version",
    ],
)  # fmt: skip
def test_names_are_exactly_those_configured_sa_14(changes: Any, outcome: str) -> None:
    assert why(**changes) == outcome
    assert why(what="assertion", **changes) == outcome


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"issuer": "<saml:Issuer>https://other.test</saml:Issuer>"}, "issuer"),
        ({"issuer": f'<saml:Issuer Format="{PERSISTENT}">{IDP}</saml:Issuer>'}, "issuer"),
        ({"version": "1.1"}, "version"),
        ({"issued": instant(61)}, "issue-instant"),
        ({"issued": instant(59)}, "accepted"),
        ({"issued": instant(-661)}, "issue-instant"),
        ({"issued": instant(-659)}, "accepted"),
        ({"status": '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"/>'},
         "status"),
    ],
    ids=["issuer", "issuer-format", "version", "early", "skew", "late", "old", "status"],
)  # fmt: skip
def test_the_response_around_it_must_fit_too(changes: Any, outcome: str) -> None:
    assert why_response(**changes) == outcome
    assert why_response(what="assertion", **changes) == outcome


def test_only_a_plain_unsigned_response_may_leave_out_its_issuer() -> None:
    assert why_response(issuer="", what="assertion") == "accepted"
    assert reason(encrypted(Response(issuer=""))) == "issuer"


def test_a_failure_at_the_provider_is_told_to_the_operator() -> None:
    inner = '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"/>'
    outer = "urn:oasis:names:tc:SAML:2.0:status:Responder"
    status = (
        f'<samlp:StatusCode Value="{outer}">{inner}</samlp:StatusCode>'
        "<samlp:StatusMessage>no</samlp:StatusMessage>"
    )
    verdict = judge(signed(Response(status=status, assertion=""), what="nothing"))
    assert isinstance(verdict, Refusal)
    assert verdict.reason == "status"
    assert all(part in verdict.detail for part in ("Responder", "AuthnFailed", "'no'"))


@pytest.mark.parametrize(
    ("response", "confirmation", "expected", "outcome"),
    [
        (REQUEST_ID, REQUEST_ID, REQUEST_ID, "accepted"),
        (None, REQUEST_ID, REQUEST_ID, "in-response-to"),
        (REQUEST_ID, None, REQUEST_ID, "subject-confirmation"),
        (None, None, REQUEST_ID, "in-response-to"),
        ("_unknown", "_unknown", REQUEST_ID, "in-response-to"),
        (REQUEST_ID, "_other", REQUEST_ID, "subject-confirmation"),
        ("_other", REQUEST_ID, REQUEST_ID, "in-response-to"),
        (REQUEST_ID, REQUEST_ID, None, "in-response-to"),
        (None, REQUEST_ID, None, "subject-confirmation"),
        (REQUEST_ID, None, None, "in-response-to"),
        (None, None, None, "accepted"),
    ],
)
def test_a_response_answers_our_own_request_sa_15(
    response: str | None, confirmation: str | None, expected: str | None, outcome: str
) -> None:
    def attrs(base: str, value: str | None) -> str:
        return base if value is None else f'{base} InResponseTo="{value}"'

    made = Response(
        attrs=attrs(f'Destination="{ACS}"', response),
        assertion=Assertion(
            confirmation=attrs(f'Recipient="{ACS}" NotOnOrAfter="{instant(300)}"', confirmation)
        ),
    )
    for what in ("assertion", "both"):
        root = signed(made, what=what)
        assert reason(root, expected=Expected(request_id=expected)) == outcome


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"window": f'NotBefore="{instant(60)}"'}, "accepted"),
        ({"window": f'NotBefore="{instant(61)}"'}, "not-yet-valid"),
        ({"window": f'NotOnOrAfter="{instant(-59)}"'}, "accepted"),
        ({"window": f'NotOnOrAfter="{instant(-60)}"'}, "expired"),
        ({"window": ""}, "accepted"),
        ({"window": 'NotOnOrAfter="9999-12-31T23:59:59Z"'}, "accepted"),
        ({"window": 'NotOnOrAfter="2026-03-01T14:05:00+02:00"'}, "time-malformed"),
        ({"window": 'NotOnOrAfter="2026-03-01T12:05:00"'}, "time-malformed"),
        ({"window": 'NotOnOrAfter="2026-03-01T12:05:00.123456789012Z"'}, "accepted"),
        ({"window": 'NotOnOrAfter="2026-03-01T24:00:00Z"'}, "time-malformed"),
        ({"window": 'NotOnOrAfter="99999-03-01T12:00:00Z"'}, "time-malformed"),
        ({"confirmation": SCD.replace(instant(300), instant(-59))}, "accepted"),
        ({"confirmation": SCD.replace(instant(300), instant(-60))}, "subject-confirmation"),
        ({"confirmation": SCD.partition(" NotOnOrAfter")[0]}, "subject-confirmation"),
        ({"confirmation": f'{SCD} NotBefore="{instant(-60)}"'}, "subject-confirmation"),
        ({"confirmation": f'{SCD} Address="203.0.113.9"'}, "accepted"),
        ({"method": "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"}, "subject-confirmation"),
        ({"method": "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"}, "subject-confirmation"),
        ({"confirmations": ""}, "subject-confirmation"),
        (
            {"confirmations": f'<saml:SubjectConfirmation Method="{BEARER}"/>'},
            "subject-confirmation",
        ),
        (
            {"confirmations": f'<saml:SubjectConfirmation Method="{BEARER}">'
                              f"<saml:NameID>{ADMIN}</saml:NameID>"
                              f"<saml:SubjectConfirmationData {SCD}/></saml:SubjectConfirmation>"},
            "subject-confirmation",
        ),
        (
            {"confirmations": f'<saml:SubjectConfirmation Method="{BEARER}"/>'
                              f'<saml:SubjectConfirmation Method="{BEARER}">'
                              f"<saml:SubjectConfirmationData {SCD}/></saml:SubjectConfirmation>"},
            "accepted",
        ),
        ({"issued": instant(61)}, "issue-instant"),
        ({"issued": instant(-661)}, "issue-instant"),
        ({"authn": f'AuthnInstant="{instant(61)}"'}, "authn-instant"),
        ({"authn": 'AuthnInstant="2026-01-01T00:00:00Z"'}, "accepted"),
        (
            {"authn": f'AuthnInstant="{instant(-30)}" SessionNotOnOrAfter="{instant(1)}"'},
            "accepted",
        ),
        (
            {"authn": f'AuthnInstant="{instant(-30)}" SessionNotOnOrAfter="{instant(0)}"'},
            "session-over",
        ),
        (
            {"authn": f'AuthnInstant="{instant(-30)}" SessionNotOnOrAfter="9999-12-31T23:59:59Z"'},
            "accepted",
        ),
    ],
)  # fmt: skip
def test_times_follow_the_standard_with_a_little_skew_sa_16(changes: Any, outcome: str) -> None:
    assert why(**changes) == outcome


def test_a_far_end_is_not_remembered_for_ever_sa_17() -> None:
    far = "9999-12-31T23:59:59Z"
    changes = {"window": f'NotOnOrAfter="{far}"', "confirmation": SCD.replace(instant(300), far)}
    found = accepted(signed(Response(assertion=Assertion(**changes))))
    assert found.use_once_until_ns == NOON_NS + (600 - 5 + 60) * S_NS + 1


@pytest.mark.parametrize("seconds", range(-120, 900, 40))
def test_an_assertion_is_not_good_any_more_when_it_is_forgotten_sa_17(seconds: int) -> None:
    found = accepted(signed(what="both"))
    now_ns = NOON_NS + seconds * S_NS
    if now_ns >= found.use_once_until_ns:
        assert reason(signed(what="both"), now_ns=now_ns) != "accepted"
    end_ns = found.use_once_until_ns
    assert reason(signed(what="both"), now_ns=end_ns) != "accepted"
    assert reason(signed(what="both"), now_ns=end_ns - 2) == "accepted"


def test_a_fresh_authentication_must_be_fresh() -> None:
    def when(seconds: int) -> str:
        since = NOON_NS + seconds * S_NS
        expected = replace(EXPECTED, authenticated_since_ns=since)
        return reason(signed(), expected=expected)

    assert when(-31) == "accepted"
    assert when(30) == "accepted"
    assert when(31) == "authn-instant"


def test_the_authentication_context_is_one_of_those_asked_for() -> None:
    context = Assertion().context
    for asked, outcome in (((), "accepted"), ((context,), "accepted"), (("x",), "authn-context")):
        assert reason(signed(), expected=replace(EXPECTED, authn_contexts=asked)) == outcome


NAME_IDS = [
    ("", "name-id-invalid"),
    (" ", "name-id-invalid"),
    (f" {USER}", "name-id-invalid"),
    (f"{USER}\n", "name-id-invalid"),
    ("mia&#10;@example.com", "name-id-invalid"),
    ("mia&#133;@example.com", "name-id-invalid"),
    ("mia&#127;@example.com", "name-id-invalid"),
    ("m" * 1025, "name-id-invalid"),
    ("mi&#225;@example.com", "accepted"),
]


@pytest.mark.parametrize(("value", "outcome"), NAME_IDS)
def test_a_name_is_one_plain_text_sa_22(value: str, outcome: str) -> None:
    name_id = Assertion().name_id.replace(USER, value)
    assert why(name_id=name_id) == outcome


def test_there_is_one_name_sa_22() -> None:
    assert why(name_id="") == "message-form"
    assert why(name_id='<saml:BaseID xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
                       ' i:type="saml:NameIDType"/>') in ("message-form", "schema")  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "attrs", "outcome"),
    [
        (PERSISTENT, f'Format="{PERSISTENT}"', "accepted"),
        (PERSISTENT, f'Format="{TRANSIENT}"', "name-id-format"),
        (PERSISTENT, "", "name-id-format"),
        (UNSPECIFIED, f'Format="{TRANSIENT}"', "accepted"),
        (UNSPECIFIED, "", "accepted"),
        (PERSISTENT, f'Format="{PERSISTENT}" NameQualifier="{IDP}" SPNameQualifier="{SP}"',
         "accepted"),
        (PERSISTENT, f'Format="{PERSISTENT}" NameQualifier="https://x.test"', "name-id-qualifier"),
        (TRANSIENT, f'Format="{TRANSIENT}" NameQualifier="https://x.test"', "accepted"),
        (TRANSIENT, f'Format="{TRANSIENT}" SPNameQualifier="{SP}/"', "name-id-qualifier"),
    ],
)  # fmt: skip
def test_a_name_is_of_the_kind_that_was_asked_for(wanted: str, attrs: str, outcome: str) -> None:
    root = signed(Response(assertion=Assertion(name_id=f"<saml:NameID {attrs}>x</saml:NameID>")))
    assert reason(root, at=service(name_id_format=wanted)) == outcome


@pytest.mark.parametrize(
    ("attributes", "outcome"),
    [
        (attribute("a", "1") + attribute("a", "2"), "attribute-repeated"),
        (attribute("a", "1") + attribute("a", "1", name_format="uri"), "attribute-repeated"),
        (attribute("", "1"), "attribute-repeated"),
        (attribute("a", "1&#133;"), "attribute-invalid"),
        (attribute("a", "x" * 16_385), "attribute-invalid"),
        ("".join(attribute(f"a{number}", "1") for number in range(257)), "attribute-invalid"),
        (attribute("a", *("x" for _ in range(4097))), "attribute-invalid"),
        ("<saml:EncryptedAttribute><x/></saml:EncryptedAttribute>", "schema"),
    ],
    ids=[
        "twice", "other-format", "no-name", "control", "long", "many", "many-values", "encrypted",
    ],
)  # fmt: skip
def test_attributes_have_one_meaning_sa_22(attributes: str, outcome: str) -> None:
    assert why(attributes=attributes) == outcome


def test_attributes_are_lists_of_texts_by_name_sa_22() -> None:
    nil = '<saml:AttributeValue xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>'
    typed = (
        '<saml:AttributeValue xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
        ' xmlns:xs="http://www.w3.org/2001/XMLSchema" i:type="xs:string">t</saml:AttributeValue>'
    )
    odd = attribute("odd", "x").replace(
        "<saml:AttributeValue>x", nil + typed + "<saml:AttributeValue>"
    )
    made = attribute("groups", "a", "b, c", " d\n") + attribute("none") + odd
    found = accepted(signed(Response(assertion=Assertion(attributes=made))))
    assert found.assertion.attributes == {
        "groups": ("a", "b, c", " d\n"),
        "none": (),
        "odd": ("t", ""),
    }


def test_somebody_must_have_been_authenticated() -> None:
    assert why(statements="") in ("library-refused", "message-form")
    two = Assertion().text()
    start, end = two.index("<saml:AuthnStatement"), two.index("<saml:AttributeStatement")
    assert why(statements=two[start:end] * 2) in ("library-refused", "message-form")


def test_metadata_that_has_expired_is_not_believed_sa_20() -> None:
    assert reason(signed(), by=provider(valid_until_ns=NOON_NS + 1)) == "accepted"
    assert reason(signed(), by=provider(valid_until_ns=NOON_NS)) == "metadata-expired"


def test_new_certificates_are_accepted_beside_old_ones_sa_20() -> None:
    new = party("new", "P-256")
    both = provider(signing_certificates=(idp().certificate, new.certificate))
    assert reason(signed(signer=new), by=both) == "accepted"
    assert reason(signed(), by=both) == "accepted"
    assert reason(signed(signer=new)) == "signature-invalid"


@pytest.mark.parametrize(
    ("encoded", "outcome"),
    [
        ("", "message-encoding"),
        ("\r\n", "message-encoding"),
        ("PGEvPg", "message-encoding"),
        ("PGEvPg==", "not-a-response"),
        ("PGEv\r\nPg==\n", "not-a-response"),
        ("PGEvPg==PGEvPg==", "message-encoding"),
        ("PGEv Pg==", "message-encoding"),
        ("PGEv*Pg==", "message-encoding"),
        ("PGEvPg=\u00e9", "message-encoding"),
        ("-_-_", "message-encoding"),
        ("A" * 400_000, "message-too-large"),
    ],
    ids=lambda value: value[:12],
)
def test_junk_is_no_message_sa_23(encoded: str, outcome: str) -> None:
    assert reason(encoded) == outcome


def test_a_verdict_travels_between_threads_and_processes() -> None:
    arguments = (posted(signed(what="both")), provider(), service(), EXPECTED, NOON_NS)
    sent = pickle.loads(pickle.dumps(arguments))
    with ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(lambda _: validate_response(*sent), range(16)))
    assert all(isinstance(verdict, Accepted) for verdict in verdicts)
    assert pickle.loads(pickle.dumps(verdicts[0])) == verdicts[0]


def test_no_secret_shows() -> None:
    assert "PRIVATE" not in repr(service())


GENUINE = etree.tostring(signed(what="both"))


@given(st.integers(0, len(GENUINE) - 1), st.binary(max_size=8), st.integers(0, 40))
def test_a_changed_message_is_refused_or_says_the_same(at: int, put: bytes, drop: int) -> None:
    changed = GENUINE[:at] + put + GENUINE[at + drop :]
    verdict = judge(changed)
    if isinstance(verdict, Accepted):
        assert verdict.assertion == accepted(GENUINE).assertion


@given(st.integers())
def test_shuffled_parts_are_refused_or_say_the_same(seed: int) -> None:
    chance = random.Random(seed)
    root = etree.fromstring(GENUINE)
    elements = list(root.iter())
    for _ in range(chance.randint(1, 3)):
        moved, place = chance.choice(elements[1:]), chance.choice(elements)
        if place is not moved and moved not in place.iterancestors():
            place.insert(chance.randint(0, len(place)), moved)
    verdict = judge(root)
    if isinstance(verdict, Accepted):
        assert verdict.assertion == accepted(GENUINE).assertion


def test_the_namespace_of_assertions_is_exact() -> None:
    text = Response().text().replace(SAML, SAML[:-1] + "x")
    assert reason(text.encode()) == "xml-id-misplaced"


def test_a_signature_of_something_else_is_refused() -> None:
    extra = etree.fromstring(
        "<samlp:Extensions xmlns:samlp='urn:oasis:names:tc:SAML:2.0:protocol'/>"
    )
    root = signed(what="assertion")
    extra.append(deepcopy(root.find("{*}Assertion/{*}Signature")))
    root.insert(1, extra)
    assert reason(root) == "signature-misplaced"


def test_an_unasked_login_is_for_the_caller_to_allow() -> None:
    made = Response(
        attrs=f'Destination="{ACS}"',
        assertion=Assertion(confirmation=f'Recipient="{ACS}" NotOnOrAfter="{instant(300)}"'),
    )
    assert reason(signed(made), expected=UNASKED) == "accepted"
    assert reason(signed(made)) == "in-response-to"
