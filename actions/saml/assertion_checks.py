"""Whether what an assertion says is good enough to sign somebody in (D3-12 to D3-21).

Each check is a finding, in order or not: explanations show all of them, the first that is not in
order decides. Names and addresses are compared exactly. Clocks may differ by the configured skew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from actions.saml.assertion import Assertion, Confirmation
from actions.saml.instant import render_instant
from actions.saml.names import BEARER, ENTITY, PERSISTENT, UNSPECIFIED, UNSPECIFIED_2
from actions.saml.parties import IdentityProvider, ServiceProvider
from actions.saml.refusal import Finding, found_wanted, settled, shown

LONGEST_PERSISTENT: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The sign-in that a response answers.

    `request_id` is None for one that the provider began (allowed or not is the caller's to know).
    `authenticated_since_ns` is when a fresh authentication was asked for, None if none was.
    `authn_contexts` are those that were asked for; without any, all will do.
    """

    request_id: str | None
    authenticated_since_ns: int | None = None
    authn_contexts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that an assertion is held against."""

    provider: IdentityProvider
    service: ServiceProvider
    expected: Expected
    now_ns: int


def check_assertion(assertion: Assertion, situation: Situation) -> Iterator[Finding]:
    """Check everything that an assertion says."""
    provider, service = situation.provider, situation.service
    yield settled(
        "assertion version",
        found_wanted(assertion.version, "2.0"),
        holds=assertion.version == "2.0",
        reason="version",
    )
    yield check_issuer("assertion issuer", assertion.issuer, assertion.issuer_format, provider)
    yield check_issue_instant("assertion issued", assertion.issued_ns, situation)
    yield from _check_name_id(assertion, provider, service)
    yield _check_confirmations(assertion, situation)
    yield from _check_conditions(assertion, situation)
    yield from _check_authentication(assertion, situation)


def use_once_until_ns(assertion: Assertion, situation: Situation) -> int:
    """Return how long an accepted assertion has to be remembered, to be refused the second time."""
    service = situation.service
    ends = [
        each.not_on_or_after_ns
        for each in assertion.confirmations
        if each.method == BEARER and each.not_on_or_after_ns is not None
    ]
    latest = max(ends, default=situation.now_ns)
    if assertion.conditions.not_on_or_after_ns is not None:
        latest = min(latest, assertion.conditions.not_on_or_after_ns)
    return min(latest, assertion.issued_ns + service.max_age_ns) + service.clock_skew_ns + 1


def check_issuer(
    subject: str, issuer: str | None, written_format: str | None, provider: IdentityProvider
) -> Finding:
    """Check who says that he has made a message."""
    is_entity = written_format in (None, ENTITY)
    return settled(
        subject,
        found_wanted(issuer, provider.entity_id),
        holds=issuer == provider.entity_id and is_entity,
        reason="issuer",
    )


def check_issue_instant(subject: str, issued_ns: int, situation: Situation) -> Finding:
    """Check that a message was made lately, and not in the future."""
    service, now_ns = situation.service, situation.now_ns
    is_recent = now_ns - service.max_age_ns - service.clock_skew_ns <= issued_ns
    return settled(
        subject,
        f"at {render_instant(issued_ns)}, it is {render_instant(now_ns)}",
        holds=is_recent and issued_ns <= now_ns + service.clock_skew_ns,
        reason="issue-instant",
    )


def _check_name_id(
    assertion: Assertion, provider: IdentityProvider, service: ServiceProvider
) -> Iterator[Finding]:
    name_id, wanted = assertion.name_id, service.name_id_format
    yield settled(
        "name id format",
        found_wanted(name_id.format, wanted),
        holds=name_id.format == wanted or wanted in ("", UNSPECIFIED, UNSPECIFIED_2),
        reason="name-id-format",
    )
    is_named = name_id.format == PERSISTENT
    qualifier = name_id.name_qualifier
    fits = name_id.sp_name_qualifier in (None, service.entity_id) and (
        not is_named or qualifier in (None, provider.entity_id)
    )
    found = shown((qualifier, name_id.sp_name_qualifier))
    yield settled(
        "name id qualifiers",
        "the provider's {}, ours {}".format(*found),
        holds=fits and not (is_named and len(name_id.value) > LONGEST_PERSISTENT),
        reason="name-id-qualifier",
    )


def _check_confirmations(assertion: Assertion, situation: Situation) -> Finding:
    bearers = [each for each in assertion.confirmations if each.method == BEARER]
    objections = [_objection(each, situation) for each in bearers]
    holds = None in objections
    told = [each for each in objections if each is not None]
    detail = "a bearer may show it" if holds else "; ".join(told) or "no bearer confirmation"
    return settled("subject confirmation", detail, holds=holds, reason="subject-confirmation")


def _objection(confirmation: Confirmation, situation: Situation) -> str | None:
    """Say what is wrong with one way to confirm the subject; None if nothing is."""
    service, expected = situation.service, situation.expected
    if not confirmation.is_plain:
        return "it has no data, or more than that"
    if confirmation.recipient != service.assertion_url:
        return f"Recipient {found_wanted(confirmation.recipient, service.assertion_url)}"
    if confirmation.in_response_to != expected.request_id:
        return f"InResponseTo {found_wanted(confirmation.in_response_to, expected.request_id)}"
    if confirmation.not_before_ns is not None:
        return "NotBefore has no place in a bearer confirmation"
    if confirmation.not_on_or_after_ns is None:
        return "NotOnOrAfter is missing"
    if situation.now_ns >= confirmation.not_on_or_after_ns + service.clock_skew_ns:
        return f"it ended at {render_instant(confirmation.not_on_or_after_ns)}"
    return None


def _check_conditions(assertion: Assertion, situation: Situation) -> Iterator[Finding]:
    conditions, now_ns = assertion.conditions, situation.now_ns
    skew_ns = situation.service.clock_skew_ns
    begin, end = conditions.not_before_ns, conditions.not_on_or_after_ns
    yield settled(
        "not before",
        "no limit" if begin is None else render_instant(begin),
        holds=begin is None or begin <= now_ns + skew_ns,
        reason="not-yet-valid",
    )
    yield settled(
        "not on or after",
        "no limit" if end is None else render_instant(end),
        holds=end is None or now_ns < end + skew_ns,
        reason="expired",
    )
    ours = situation.service.entity_id
    restrictions = conditions.restrictions
    names = ", ".join(shown(name for restriction in restrictions for name in restriction))
    yield settled(
        "audience",
        f"{names or 'nobody is named'}, wanted {ours!r}",
        holds=bool(restrictions) and all(ours in restriction for restriction in restrictions),
        reason="audience",
    )
    yield settled(
        "conditions",
        f"{conditions.unknown[0]} is not understood" if conditions.unknown else "all understood",
        holds=not conditions.unknown,
        reason="condition-unknown",
    )


def _check_authentication(assertion: Assertion, situation: Situation) -> Iterator[Finding]:
    expected, now_ns = situation.expected, situation.now_ns
    skew_ns = situation.service.clock_skew_ns
    since, when = expected.authenticated_since_ns, assertion.authn_instant_ns
    is_fresh = since is None or when >= since - skew_ns
    yield settled(
        "authenticated",
        f"at {render_instant(when)}"
        + ("" if since is None else f", wanted after {render_instant(since)}"),
        holds=is_fresh and when <= now_ns + skew_ns,
        reason="authn-instant",
    )
    contexts = expected.authn_contexts
    yield settled(
        "authentication context",
        next(shown((assertion.authn_context,))),
        holds=not contexts or assertion.authn_context in contexts,
        reason="authn-context",
    )
    end = assertion.session_not_on_or_after_ns
    # No skew: a session that is over would end at once, and the browser go round in circles.
    yield settled(
        "session end",
        "no limit" if end is None else render_instant(end),
        holds=end is None or now_ns < end,
        reason="session-over",
    )
