"""What an assertion says: its elements and attributes as typed values, read once.

Only assertions whose signature has been verified come here, as documents parsed from the octets
that were signed. Reading refuses what has no single meaning; whether the meaning is acceptable is
decided in `assertion_checks`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from actions.saml.instant import parse_instant_ns
from actions.saml.markup import text_of
from actions.saml.names import DS, SAML, UNSPECIFIED, XSI, tag
from actions.saml.refusal import MessageRefused

MAX_NAME_ID: Final = 1024
MAX_ATTRIBUTES: Final = 256
MAX_VALUES: Final = 4096
MAX_VALUE: Final = 16_384
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_IN_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
PARTS: Final = frozenset(
    {
        tag(DS, "Signature"),
        tag(SAML, "Issuer"),
        tag(SAML, "Subject"),
        tag(SAML, "Conditions"),
        tag(SAML, "Advice"),
        tag(SAML, "AuthnStatement"),
        tag(SAML, "AttributeStatement"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NameId:
    """Who a subject is, for one provider; a qualifier that is not there is None."""

    value: str
    format: str = UNSPECIFIED
    name_qualifier: str | None = None
    sp_name_qualifier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """How a bearer may show that an assertion is meant for him. Times are nanoseconds."""

    method: str
    recipient: str | None
    in_response_to: str | None
    not_before_ns: int | None
    not_on_or_after_ns: int | None
    is_plain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """When and for whom an assertion holds; each restriction lists audiences."""

    not_before_ns: int | None
    not_on_or_after_ns: int | None
    restrictions: tuple[tuple[str, ...], ...]
    is_for_one_use: bool
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """One assertion. Times are nanoseconds since the epoch; attributes go by their `Name`."""

    id: str
    version: str
    issuer: str
    issuer_format: str | None
    issued_ns: int
    name_id: NameId
    confirmations: tuple[Confirmation, ...]
    conditions: Conditions
    authn_instant_ns: int
    authn_context: str | None
    session_index: str | None
    session_not_on_or_after_ns: int | None
    attributes: Mapping[str, tuple[str, ...]]


def read_assertion(element: etree._Element) -> Assertion:
    """Read a verified assertion; raises MessageRefused."""
    for child in element:
        if child.tag not in PARTS:
            detail = f"{child.tag} in the assertion"
            raise MessageRefused(reason="message-form", detail=detail)
    subject = only(element, "Subject")
    issuer = only(element, "Issuer")
    statement = only(element, "AuthnStatement")
    contexts = list(statement.iter(tag(SAML, "AuthnContextClassRef")))
    session_end = statement.get("SessionNotOnOrAfter")
    return Assertion(
        id=element.get("ID", ""),
        version=element.get("Version", ""),
        issuer=text_of(issuer),
        issuer_format=issuer.get("Format"),
        issued_ns=parse_instant_ns(element.get("IssueInstant", "")),
        name_id=read_name_id(only(subject, "NameID")),
        confirmations=tuple(
            _read_confirmation(child)
            for child in subject
            if child.tag == tag(SAML, "SubjectConfirmation")
        ),
        conditions=_read_conditions(only(element, "Conditions")),
        authn_instant_ns=parse_instant_ns(statement.get("AuthnInstant", "")),
        authn_context=text_of(contexts[0]) if len(contexts) == 1 else None,
        session_index=statement.get("SessionIndex"),
        session_not_on_or_after_ns=_optional_instant(session_end),
        attributes=_read_attributes(element),
    )


def only(element: etree._Element, name: str) -> etree._Element:
    """Return the child of that name, of which there must be exactly one."""
    found = [child for child in element if child.tag == tag(SAML, name)]
    if len(found) != 1:
        detail = f"{len(found)} {name} in {etree.QName(element).localname}, wanted one"
        raise MessageRefused(reason="message-form", detail=detail)
    return found[0]


def read_name_id(element: etree._Element) -> NameId:
    """Read a name identifier: one text that is not empty and has nothing hidden in it (SA-22)."""
    value = text_of(element)
    if not value or value != value.strip() or len(value) > MAX_NAME_ID or _CONTROL.search(value):
        detail = "it is empty, too long, or has control characters or spaces around it"
        raise MessageRefused(reason="name-id-invalid", detail=detail)
    return NameId(
        value=value,
        format=element.get("Format", UNSPECIFIED),
        name_qualifier=element.get("NameQualifier"),
        sp_name_qualifier=element.get("SPNameQualifier"),
    )


def _read_confirmation(element: etree._Element) -> Confirmation:
    data = [child for child in element if child.tag == tag(SAML, "SubjectConfirmationData")]
    given = data[0] if data else etree.Element("none")
    return Confirmation(
        method=element.get("Method", ""),
        recipient=given.get("Recipient"),
        in_response_to=given.get("InResponseTo"),
        not_before_ns=_optional_instant(given.get("NotBefore")),
        not_on_or_after_ns=_optional_instant(given.get("NotOnOrAfter")),
        is_plain=len(data) == 1 and len(element) == 1 and len(given) == 0,
    )


def _read_conditions(element: etree._Element) -> Conditions:
    restrictions = [child for child in element if child.tag == tag(SAML, "AudienceRestriction")]
    known = {tag(SAML, name) for name in ("AudienceRestriction", "OneTimeUse", "ProxyRestriction")}
    return Conditions(
        not_before_ns=_optional_instant(element.get("NotBefore")),
        not_on_or_after_ns=_optional_instant(element.get("NotOnOrAfter")),
        restrictions=tuple(tuple(map(text_of, restriction)) for restriction in restrictions),
        is_for_one_use=element.find(tag(SAML, "OneTimeUse")) is not None,
        unknown=tuple(str(child.tag) for child in element if child.tag not in known),
    )


def _optional_instant(text: str | None) -> int | None:
    return None if text is None else parse_instant_ns(text)


def _read_attributes(element: etree._Element) -> Mapping[str, tuple[str, ...]]:
    """Read attributes by `Name`; one that comes twice, in whatever format, has no one value."""
    attributes: dict[str, tuple[str, ...]] = {}
    count = 0
    for statement in element.findall(tag(SAML, "AttributeStatement")):
        for attribute in statement:
            if attribute.tag != tag(SAML, "Attribute"):
                detail = f"{attribute.tag} among the attributes"
                raise MessageRefused(reason="attribute-invalid", detail=detail)
            name = attribute.get("Name", "")
            if not name or name in attributes:
                detail = f"{name[:100]!r} twice, or without a name"
                raise MessageRefused(reason="attribute-repeated", detail=detail)
            attributes[name] = tuple(_read_values(attribute))
            count += len(attributes[name])
    if len(attributes) > MAX_ATTRIBUTES or count > MAX_VALUES:
        detail = f"{len(attributes)} attributes with {count} values"
        raise MessageRefused(reason="attribute-invalid", detail=detail)
    return attributes


def _read_values(attribute: etree._Element) -> list[str]:
    values = []
    for element in attribute:
        if element.get(tag(XSI, "nil")) in ("true", "1"):
            continue
        value = text_of(element)
        if len(value) > MAX_VALUE or _CONTROL_IN_LINES.search(value):
            detail = f"a value of {attribute.get('Name', '')[:100]!r} is too long, or no plain text"
            raise MessageRefused(reason="attribute-invalid", detail=detail)
        values.append(value)
    return values
