from __future__ import annotations

import pytest
from lxml import etree

from actions.saml.assertion import NameId, only, read_assertion, read_name_id
from actions.saml.markup import parse
from actions.saml.names import SAML, UNSPECIFIED
from actions.saml.refusal import MessageRefused
from tests.saml import IDP, SP, Assertion, attribute


def element(text: str) -> etree._Element:
    return parse(text.replace(">", f' xmlns:saml="{SAML}">', 1).encode())


def refused(text: str) -> str:
    with pytest.raises(MessageRefused) as caught:
        read_assertion(parse(text.encode()))
    return caught.value.reason


def test_an_assertion_is_read() -> None:
    found = read_assertion(parse(Assertion().text().encode()))
    assert (found.id, found.version, found.issuer, found.issuer_format) == ("_a1", "2.0", IDP, None)
    assert found.conditions.restrictions == ((SP,),)
    assert found.session_index == "s-1"
    assert found.attributes["groups"] == ("staff", "eng")


def test_a_name_is_read_with_its_qualifiers() -> None:
    text = '<saml:NameID Format="urn:f" NameQualifier="n" SPNameQualifier="s">v</saml:NameID>'
    assert read_name_id(element(text)) == NameId(
        value="v", format="urn:f", name_qualifier="n", sp_name_qualifier="s"
    )
    assert read_name_id(element("<saml:NameID>v</saml:NameID>")).format == UNSPECIFIED


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (Assertion(more="<saml:AuthzDecisionStatement/>"), "message-form"),
        (Assertion(more="<saml:Statement/>"), "message-form"),
        (Assertion(more="<other/>"), "message-form"),
        (Assertion(more="<saml:Conditions/>"), "message-form"),
        (Assertion(issuer=""), "message-form"),
        (Assertion(name_id=""), "message-form"),
        (Assertion(name_id="<saml:EncryptedID/>"), "message-form"),
        (Assertion(statements=""), "message-form"),
        (Assertion(issued=""), "time-malformed"),
        (Assertion(authn=""), "time-malformed"),
        (Assertion(attributes="<other/>"), "attribute-invalid"),
        (Assertion(attributes=attribute("a", "<b/>")), "xml-not-plain-text"),
    ],
    ids=range(12),
)
def test_what_has_no_single_meaning_is_refused(made: Assertion, reason: str) -> None:
    assert refused(made.text()) == reason


def test_several_authentication_contexts_are_none() -> None:
    context = "<saml:AuthnContextClassRef>x</saml:AuthnContextClassRef>"
    statements = Assertion().text().partition("<saml:AuthnStatement")[2]
    text = Assertion().text().replace(statements, statements.replace("<saml:AuthnContext>",
                                      f"<saml:AuthnContext>{context}"))  # fmt: skip
    assert read_assertion(parse(text.encode())).authn_context is None


def test_there_is_exactly_one_child_of_a_name() -> None:
    root = element("<saml:A><saml:B/><saml:C/><saml:C/></saml:A>")
    assert only(root, "B") is root[0]
    for name in ("C", "D"):
        with pytest.raises(MessageRefused):
            only(root, name)
