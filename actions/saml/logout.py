"""Single logout: messages of the provider, which must be signed, and our own (D3-25, SA-19).

By the redirect binding the signature is over the query as it was received; by POST it is in the
message, and what is read is what was signed. Whether a name and its sessions are known here, and
whether a message was seen before, the caller must see to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from lxml import etree

from actions.saml.assertion import NameId, only, read_name_id
from actions.saml.assertion_checks import Expected, Situation, check_issue_instant, check_issuer
from actions.saml.binding import MessageName, decode_posted, receive_redirected
from actions.saml.instant import parse_instant_ns, render_instant
from actions.saml.markup import check_ids, parse, text_of
from actions.saml.names import SAML, SAMLP, SUCCESS, UNSPECIFIED, UNSPECIFIED_2, tag
from actions.saml.parties import IdentityProvider, ServiceProvider
from actions.saml.refusal import (
    Finding,
    MessageRefused,
    as_checks,
    first_refusal,
    found_wanted,
    settled,
)
from actions.saml.response import Refusal
from actions.saml.schema import check_schema
from actions.saml.signature import signatures_in, verify
from policy.exchange import Check

# The standard allows 80; what providers want back is sometimes longer.
MAX_RELAY_STATE: Final = 2048
REQUEST = tag(SAMLP, "LogoutRequest")
RESPONSE = tag(SAMLP, "LogoutResponse")
_TAGS = {"SAMLRequest": REQUEST, "SAMLResponse": RESPONSE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A message as a form brings it: the field it stands in, its value, and the relay state."""

    name: MessageName
    encoded: str
    relay_state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutRequest:
    """The provider ends sessions of somebody: those listed, or all if none is."""

    id: str
    name_id: NameId
    session_indexes: tuple[str, ...]
    not_on_or_after_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutResponse:
    """The provider's answer to our request; `status` is its code, `is_complete` for success."""

    id: str
    in_response_to: str
    status: str
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutAccepted:
    """A message in order. Its id must not be accepted again before `use_once_until_ns`."""

    message: LogoutRequest | LogoutResponse
    relay_state: str | None
    use_once_until_ns: int
    checks: tuple[Check, ...]


LogoutVerdict: TypeAlias = LogoutAccepted | Refusal


def validate_redirected_logout(
    query: str,
    provider: IdentityProvider,
    service: ServiceProvider,
    request_id: str | None,
    now_ns: int,
) -> LogoutVerdict:
    """Judge a query, octet for octet as received. Never raises for what it holds.

    `request_id` is that of our own request that a response would answer, None without one.
    """
    situation = _situation(provider, service, request_id, now_ns)
    try:
        received = receive_redirected(query, provider.signing_certificates, service.algorithms)
        root = _read(received.xml, received.name)
        if signatures_in(root):
            detail = "in the message as well as over the query"
            raise MessageRefused(reason="signature-misplaced", detail=detail)
        return _judge(root, situation, received.relay_state)
    except MessageRefused as refused:
        return _refusal(refused)


def validate_posted_logout(
    posted: Posted,
    provider: IdentityProvider,
    service: ServiceProvider,
    request_id: str | None,
    now_ns: int,
) -> LogoutVerdict:
    """Judge what came in a form, in the same way."""
    situation = _situation(provider, service, request_id, now_ns)
    try:
        root = _read(decode_posted(posted.encoded), posted.name)
        signed = verify(root, provider.signing_certificates, service.algorithms)
        if len(signatures_in(root)) != 1:
            raise MessageRefused(reason="signature-misplaced", detail="more than one signature")
        return _judge(signed, situation, posted.relay_state)
    except MessageRefused as refused:
        return _refusal(refused)


def is_same_subject(
    one: NameId, other: NameId, provider: IdentityProvider, service: ServiceProvider
) -> bool:
    """Tell whether two names mean the same subject; qualifiers that are left out are implied."""
    return _full_name(one, provider, service) == _full_name(other, provider, service)


def _full_name(
    name_id: NameId, provider: IdentityProvider, service: ServiceProvider
) -> tuple[str, str, str, str]:
    return (
        name_id.value,
        UNSPECIFIED if name_id.format == UNSPECIFIED_2 else name_id.format,
        provider.entity_id if name_id.name_qualifier is None else name_id.name_qualifier,
        service.entity_id if name_id.sp_name_qualifier is None else name_id.sp_name_qualifier,
    )


def _situation(
    provider: IdentityProvider, service: ServiceProvider, request_id: str | None, now_ns: int
) -> Situation:
    expected = Expected(request_id=request_id)
    return Situation(provider=provider, service=service, expected=expected, now_ns=now_ns)


def _refusal(refused: MessageRefused) -> Refusal:
    finding = Finding(subject="message", detail=refused.detail, reason=refused.reason)
    return Refusal(reason=refused.reason, detail=refused.detail, checks=as_checks([finding]))


def _read(xml: bytes, name: str) -> etree._Element:
    root = parse(xml)
    if root.tag != _TAGS[name]:
        raise MessageRefused(reason="not-a-logout", detail=f"{root.tag} as {name}")
    check_ids(root)
    check_schema(root)
    return root


def _judge(root: etree._Element, situation: Situation, relay_state: str | None) -> LogoutVerdict:
    if relay_state is not None and len(relay_state) > MAX_RELAY_STATE:
        raise MessageRefused(reason="relay-state", detail=f"{len(relay_state)} characters")
    message = _read_request(root) if root.tag == REQUEST else _read_response(root)
    issued_ns = parse_instant_ns(root.get("IssueInstant", ""))
    findings = [*_check_message(root, issued_ns, situation), *_check_own(message, situation)]
    checks = as_checks([Finding(subject="signature", detail="made by the provider"), *findings])
    refusal = first_refusal(findings)
    if refusal is not None:
        detail = f"{refusal.subject}: {refusal.detail}"
        return Refusal(reason=refusal.reason or "", detail=detail, checks=checks)
    service = situation.service
    return LogoutAccepted(
        message=message,
        relay_state=relay_state,
        use_once_until_ns=issued_ns + service.max_age_ns + service.clock_skew_ns + 1,
        checks=checks,
    )


def _read_request(root: etree._Element) -> LogoutRequest:
    end = root.get("NotOnOrAfter")
    return LogoutRequest(
        id=root.get("ID", ""),
        name_id=read_name_id(only(root, "NameID")),
        session_indexes=tuple(text_of(each) for each in root.iterfind(tag(SAMLP, "SessionIndex"))),
        not_on_or_after_ns=None if end is None else parse_instant_ns(end),
    )


def _read_response(root: etree._Element) -> LogoutResponse:
    code = root.find(f"{tag(SAMLP, 'Status')}/{tag(SAMLP, 'StatusCode')}")
    nested = None if code is None else code.find(tag(SAMLP, "StatusCode"))
    status = "" if code is None else code.get("Value", "")
    return LogoutResponse(
        id=root.get("ID", ""),
        in_response_to=root.get("InResponseTo", ""),
        status=status,
        is_complete=status == SUCCESS and nested is None,
    )


def _check_message(root: etree._Element, issued_ns: int, situation: Situation) -> Iterator[Finding]:
    until_ns = situation.provider.valid_until_ns
    yield settled(
        "metadata",
        "no end" if until_ns is None else f"valid until {render_instant(until_ns)}",
        holds=until_ns is None or situation.now_ns < until_ns,
        reason="metadata-expired",
    )
    version, destination = root.get("Version"), root.get("Destination")
    yield settled("version", found_wanted(version, "2.0"), holds=version == "2.0", reason="version")
    yield settled(
        "destination",
        found_wanted(destination, situation.service.logout_url),
        holds=destination == situation.service.logout_url,
        reason="destination",
    )
    issuer = root.find(tag(SAML, "Issuer"))
    text = None if issuer is None else text_of(issuer)
    written_format = None if issuer is None else issuer.get("Format")
    yield check_issuer("issuer", text, written_format, situation.provider)
    yield check_issue_instant("issued", issued_ns, situation)


def _check_own(message: LogoutRequest | LogoutResponse, situation: Situation) -> Iterator[Finding]:
    if isinstance(message, LogoutResponse):
        wanted = situation.expected.request_id
        yield settled(
            "in response to",
            found_wanted(message.in_response_to, wanted),
            holds=wanted is not None and message.in_response_to == wanted,
            reason="in-response-to",
        )
        return
    end = message.not_on_or_after_ns
    yield settled(
        "not on or after",
        "no limit" if end is None else render_instant(end),
        holds=end is None or situation.now_ns < end + situation.service.clock_skew_ns,
        reason="expired",
    )
