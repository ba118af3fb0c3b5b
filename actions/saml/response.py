"""The response of an identity provider: from a form field to who has signed in, or a refusal.

Everything about it is decided here, by values alone: in a thread, in a test, at a prompt. Of what
the message holds, only what was signed is believed. What is not signed (a response around a signed
assertion) can be a reason to refuse, never one to accept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from lxml import etree

from actions.saml import library
from actions.saml.assertion import Assertion, read_assertion
from actions.saml.assertion_checks import (
    Expected,
    Situation,
    check_assertion,
    check_issue_instant,
    check_issuer,
    use_once_until_ns,
)
from actions.saml.binding import decode_posted
from actions.saml.encryption import decrypt_assertion
from actions.saml.instant import parse_instant_ns, render_instant
from actions.saml.markup import check_ids, parse, text_of
from actions.saml.names import SAML, SAMLP, SUCCESS, tag
from actions.saml.parties import IdentityProvider, ServiceProvider
from actions.saml.refusal import (
    Finding,
    MessageRefused,
    as_checks,
    first_refusal,
    found_wanted,
    settled,
    shown,
)
from actions.saml.schema import check_schema
from actions.saml.signature import SIGNATURE, signatures_in, verify
from policy.exchange import Check

RESPONSE = tag(SAMLP, "Response")
ASSERTION = tag(SAML, "Assertion")
ENCRYPTED = tag(SAML, "EncryptedAssertion")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Somebody has signed in.

    The assertion's id must be remembered until `use_once_until_ns`, by all replicas, and a second
    assertion with it refused (D3-19).
    """

    assertion: Assertion
    use_once_until_ns: int
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Nobody has; `reason` is a stable code for the log, `detail` is for the operator alone."""

    reason: str
    detail: str
    checks: tuple[Check, ...]


Verdict: TypeAlias = Accepted | Refusal


def validate_response(
    encoded: str,
    provider: IdentityProvider,
    service: ServiceProvider,
    expected: Expected,
    now_ns: int,
) -> Verdict:
    """Judge the value of a form's `SAMLResponse`. Never raises for what the value is.

    It takes milliseconds and may run in any thread; all arguments and the verdict are plain
    values. Whether the assertion was shown before, the caller must see to.
    """
    situation = Situation(provider=provider, service=service, expected=expected, now_ns=now_ns)
    findings: list[Finding] = []
    try:
        assertion = _judge(decode_posted(encoded), situation, findings)
    except MessageRefused as refused:
        last = Finding(subject="message", detail=refused.detail, reason=refused.reason)
        return Refusal(
            reason=refused.reason, detail=refused.detail, checks=as_checks([*findings, last])
        )
    checks = as_checks(findings)
    refusal = first_refusal(findings)
    if refusal is not None:
        detail = f"{refusal.subject}: {refusal.detail}"
        return Refusal(reason=refusal.reason or "", detail=detail, checks=checks)
    until_ns = use_once_until_ns(assertion, situation)
    return Accepted(assertion=assertion, use_once_until_ns=until_ns, checks=checks)


def _judge(xml: bytes, situation: Situation, findings: list[Finding]) -> Assertion:
    """Read what was signed, and add what was found about it. A refusal ends it at once."""
    provider, service = situation.provider, situation.service
    root = parse(xml)
    findings.append(Finding(subject="document", detail=f"{len(xml)} bytes of plain XML"))
    _check_status(root)
    check_ids(root)
    check_schema(root)
    holder = _holder(root)
    findings.append(Finding(subject="form", detail="one response with one assertion"))
    findings.append(_check_metadata(situation))

    is_response_signed = _is_signed(root)
    believed = root
    if is_response_signed:
        believed = verify(root, provider.signing_certificates, service.algorithms)
        findings.append(Finding(subject="response signature", detail="made by the provider"))
    elif service.wants_responses_signed:
        raise MessageRefused(reason="response-not-signed", detail="wants_responses_signed is set")
    is_encrypted = holder.tag == ENCRYPTED
    assertion = _decrypted(holder, service) if is_encrypted else holder
    if is_encrypted:
        findings.append(Finding(subject="encryption", detail="opened with our key"))
    _check_signatures(root, assertion)
    if _is_signed(assertion):
        signed = verify(assertion, provider.signing_certificates, service.algorithms)
        findings.append(Finding(subject="assertion signature", detail="made by the provider"))
    elif is_response_signed and not (is_encrypted or service.wants_assertions_signed):
        signed = _holder(believed)
        findings.append(Finding(subject="assertion signature", detail="the response's covers it"))
    else:
        detail = "let the provider sign assertions, and sign them before it encrypts them"
        raise MessageRefused(reason="assertion-not-signed", detail=detail)
    library.check_structure(_opened(root, holder, assertion), service.algorithms)
    findings += _check_response(
        believed, situation, is_signed=is_response_signed, is_encrypted=is_encrypted
    )
    found = read_assertion(signed)
    findings += check_assertion(found, situation)
    return found


def _check_status(root: etree._Element) -> None:
    """Refuse what is no response, and a response that says that nobody has signed in (D3-11)."""
    if root.tag != RESPONSE:
        raise MessageRefused(reason="not-a-response", detail=next(shown((str(root.tag),))))
    codes = [code.get("Value") for code in root.iterfind(f"{_STATUS}//{_STATUS_CODE}")]
    top = root.find(f"{_STATUS}/{_STATUS_CODE}")
    if top is None or top.get("Value") != SUCCESS:
        message = root.findtext(f"{_STATUS}/{tag(SAMLP, 'StatusMessage')}")
        told = [] if message is None else [message]
        detail = ", ".join(shown([*codes, *told])) or "no status"
        raise MessageRefused(reason="status", detail=detail)


def _holder(root: etree._Element) -> etree._Element:
    """Return the only assertion, encrypted or not, in the only place where one may be (SA-9)."""
    everywhere = list(root.iter(ASSERTION, ENCRYPTED))
    if len(everywhere) != 1 or everywhere[0].getparent() is not root:
        detail = f"{len(everywhere)} assertions, wanted one, directly in the response"
        raise MessageRefused(reason="assertion-count", detail=detail)
    nested = sum(1 for _ in root.iter(RESPONSE))
    if nested != 1:
        raise MessageRefused(reason="assertion-count", detail="a response inside a response")
    return everywhere[0]


def _is_signed(element: etree._Element) -> bool:
    return any(child.tag == SIGNATURE for child in element)


def _decrypted(holder: etree._Element, service: ServiceProvider) -> etree._Element:
    assertion = decrypt_assertion(holder, service)
    check_ids(assertion)
    if sum(1 for _ in assertion.iter(ASSERTION, ENCRYPTED)) != 1:
        raise MessageRefused(reason="assertion-count", detail="assertions inside the encrypted one")
    return assertion


def _check_signatures(root: etree._Element, assertion: etree._Element) -> None:
    """Refuse signatures that sign something else: nobody knows what they are there for."""
    found = signatures_in(root)
    if assertion.getparent() is None:
        found += signatures_in(assertion)
    if any(each.getparent() not in (root, assertion) for each in found):
        detail = "a signature of neither the response nor the assertion"
        raise MessageRefused(reason="signature-misplaced", detail=detail)


def _opened(
    root: etree._Element, holder: etree._Element, assertion: etree._Element
) -> etree._Element:
    """Return the response as it is without encryption."""
    if holder is assertion:
        return root
    opened = etree.fromstring(etree.tostring(root))
    opened[root.index(holder)] = etree.fromstring(etree.tostring(assertion))
    check_ids(opened)
    check_schema(opened)
    return opened


def _check_metadata(situation: Situation) -> Finding:
    until_ns = situation.provider.valid_until_ns
    return settled(
        "metadata",
        "no end" if until_ns is None else f"valid until {render_instant(until_ns)}",
        holds=until_ns is None or situation.now_ns < until_ns,
        reason="metadata-expired",
    )


def _check_response(
    response: etree._Element, situation: Situation, *, is_signed: bool, is_encrypted: bool
) -> Iterator[Finding]:
    """Check what the response says around the assertion (D3-8 to D3-13).

    A signed one names its issuer and its destination, one with an encrypted assertion its issuer
    (SAML profiles, section 4.1.4.2; SAML bindings, section 3.5.5.2).
    """
    service, expected = situation.service, situation.expected
    version = response.get("Version")
    yield settled("version", found_wanted(version, "2.0"), holds=version == "2.0", reason="version")
    destination = response.get("Destination")
    yield settled(
        "destination",
        found_wanted(destination, service.assertion_url),
        holds=destination == service.assertion_url or (destination is None and not is_signed),
        reason="destination",
    )
    in_response_to = response.get("InResponseTo")
    yield settled(
        "in response to",
        found_wanted(in_response_to, expected.request_id),
        holds=in_response_to == expected.request_id,
        reason="in-response-to",
    )
    issuer = response.find(tag(SAML, "Issuer"))
    if issuer is not None or is_signed or is_encrypted:
        text = None if issuer is None else text_of(issuer)
        written_format = None if issuer is None else issuer.get("Format")
        yield check_issuer("issuer", text, written_format, situation.provider)
    issued_ns = parse_instant_ns(response.get("IssueInstant", ""))
    yield check_issue_instant("issued", issued_ns, situation)


_STATUS = tag(SAMLP, "Status")
_STATUS_CODE = tag(SAMLP, "StatusCode")
