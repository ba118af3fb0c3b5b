"""Signature wrapping: a genuine signature stays in the message, and something else is read.

XSW 1 to 8 as they were published: each moves or copies what was signed, and puts an assertion of
the attacker's in its place. SA-1 to SA-8, on signed responses, signed assertions, both, and
encrypted assertions (the attacker knows our public key, so he can encrypt what he made).
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from lxml import etree

from actions.saml.names import DS, SAMLP, tag
from actions.saml.response import Accepted
from tests.saml import ADMIN, USER, encrypt, judge, one, reason, service, signed

RESPONSE, ASSERTION = "/samlp:Response", "/samlp:Response/saml:Assertion"


def evil(element: Any, identifier: str) -> Any:
    """Return a copy that names the administrator and has an ID of its own."""
    copy = deepcopy(element)
    copy.set("ID", identifier)
    for name in copy.iter("{*}NameID"):
        name.text = ADMIN
    return copy


def without_signature(element: Any) -> Any:
    copy = deepcopy(element)
    for signature in copy.findall(tag(DS, "Signature")):
        copy.remove(signature)
    return copy


def own_signature(element: Any) -> Any:
    """Return the signature of an element, or of what it holds where it has none itself."""
    found = element.find(tag(DS, "Signature"))
    return found if found is not None else next(element.iter(tag(DS, "Signature")))


def in_object(signature: Any, inside: Any) -> None:
    etree.SubElement(signature, tag(DS, "Object")).append(inside)


def xsw1(root: Any) -> Any:
    """An evil response with the signature, in which the genuine response is."""
    made = evil(root, "_evil")
    own_signature(made).append(without_signature(root))
    return made


def xsw2(root: Any) -> Any:
    """The genuine response before a detached signature."""
    made = evil(root, "_evil")
    own_signature(made).addprevious(without_signature(root))
    return made


def xsw3(root: Any) -> Any:
    """An evil assertion before the genuine one."""
    assertion = one(root, ASSERTION)
    assertion.addprevious(without_signature(evil(assertion, "_evil")))
    return root


def xsw4(root: Any) -> Any:
    """The genuine assertion inside an evil one."""
    assertion = one(root, ASSERTION)
    made = without_signature(evil(assertion, "_evil"))
    root.replace(assertion, made)
    made.append(assertion)
    return root


def xsw5(root: Any) -> Any:
    """An evil assertion with the signature, the genuine one behind it without."""
    assertion = one(root, ASSERTION)
    made = evil(assertion, "_evil")
    root.replace(assertion, made)
    root.append(without_signature(assertion))
    return root


def xsw6(root: Any) -> Any:
    """An evil assertion, in whose signature the genuine one is."""
    assertion = one(root, ASSERTION)
    made = evil(assertion, "_evil")
    root.replace(assertion, made)
    place = made.find(tag(DS, "Signature"))
    (place if place is not None else own_signature(root)).append(without_signature(assertion))
    return root


def xsw7(root: Any) -> Any:
    """An evil assertion with the same ID among extensions."""
    assertion = one(root, ASSERTION)
    extensions = etree.Element(tag(SAMLP, "Extensions"))
    extensions.append(evil(assertion, str(assertion.get("ID"))))
    one(root, "/samlp:Response/samlp:Status").addprevious(extensions)
    return root


def xsw8(root: Any) -> Any:
    """An evil assertion, with the genuine one in an object of its signature."""
    assertion = one(root, ASSERTION)
    made = evil(assertion, "_evil")
    root.replace(assertion, made)
    place = made.find(tag(DS, "Signature"))
    in_object(place if place is not None else own_signature(root), without_signature(assertion))
    return root


ATTACKS = (xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8)
EACH = pytest.mark.parametrize(
    "attack", ATTACKS, ids=[f"SA-{number}" for number in range(1, len(ATTACKS) + 1)]
)
SERVICES = pytest.mark.parametrize(
    "at",
    [service(), service(wants_assertions_signed=False)],
    ids=["assertions-signed", "either-signed"],
)


def refused(root: Any, at: Any) -> bool:
    verdict = judge(root, at=at)
    if isinstance(verdict, Accepted):
        assert verdict.assertion.name_id.value == USER
        return False
    return True


@EACH
@SERVICES
@pytest.mark.parametrize("what", ["response", "assertion", "both"])
def test_wrapping_is_refused(attack: Callable[[Any], Any], what: str, at: Any) -> None:
    assert ADMIN.encode() in etree.tostring(attack(signed(what=what)))
    assert refused(attack(signed(what=what)), at)


@EACH
@SERVICES
@pytest.mark.parametrize("keeps_ids", [False, True], ids=["other-id", "same-id"])
def test_wrapping_is_refused_whatever_ids_the_attacker_chooses(
    attack: Callable[[Any], Any], *, keeps_ids: bool, at: Any
) -> None:
    root = attack(signed(what="both"))
    if keeps_ids:
        for element in root.iter():
            if element.get("ID") == "_evil":
                element.set("ID", "_r1" if element.tag == tag(SAMLP, "Response") else "_a1")
    assert refused(root, at)


@EACH
@SERVICES
def test_wrapping_inside_encryption_is_refused(attack: Callable[[Any], Any], at: Any) -> None:
    root = attack(signed(what="assertion"))
    first = root.find("{*}Assertion")
    root.replace(first, encrypt(first))
    assert refused(root, at)


@EACH
@SERVICES
def test_wrapping_of_encrypted_assertions_is_refused(attack: Callable[[Any], Any], at: Any) -> None:
    root = attack(signed(what="assertion"))
    for assertion in list(root.iter("{*}Assertion")):
        if not any(True for _ in assertion.iterancestors("{*}Assertion")):
            assertion.getparent().replace(assertion, encrypt(assertion))
    assert refused(root, at)


def test_an_evil_assertion_beside_a_genuine_encrypted_one_is_refused() -> None:
    root = signed()
    assertion = one(root, ASSERTION)
    made = without_signature(evil(assertion, "_evil"))
    root.replace(assertion, encrypt(assertion))
    root.append(made)
    assert reason(root) == "assertion-count"


def test_an_assertion_in_another_response_of_the_same_provider_is_refused() -> None:
    genuine = signed(what="both")
    other = signed(what="both")
    root = evil(other, "_r1")
    one(root, ASSERTION).getparent().replace(
        one(root, ASSERTION), deepcopy(one(genuine, ASSERTION))
    )
    one(root, ASSERTION).find("{*}Subject/{*}NameID").text = ADMIN
    assert refused(root, service())


def test_identity_is_read_from_what_was_signed() -> None:
    verdict = judge(signed(what="both"))
    assert isinstance(verdict, Accepted)
    assert verdict.assertion.name_id.value == USER
