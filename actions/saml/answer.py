"""Takes a provider's answer to a sign-in: judged beside the loop, used once, turned into a user.

The same for an answer to a request of ours and for one that a provider sends by itself, which
differ in what they may answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from actions.login.pages import Words
from actions.login.protocol import Asking, LoggedIn, LoginRefused
from actions.login.session import digest
from actions.login.visit import READ_FAILED_CODE, STORE_UNAVAILABLE
from actions.saml.identity import details_of, is_authorized, person_of
from actions.saml.parties import IdentityProvider, ServiceProvider
from actions.saml.provider import RETRY_AFTER_S, get_newer_provider, get_provider, host_of
from actions.saml.service import service_of
from actions.saml.settings import Config
from policy.effect import Compute
from policy.exchange import Check, Exchange
from policy.store import ABSENT, BadRecord, Kind, StorePut, StoreUnavailable

if TYPE_CHECKING:
    from actions.saml.response import Accepted, Refusal

REFUSED: Final = "ERR_NGROK_3151"
NOT_PERMITTED: Final = "ERR_NGROK_3105"
NS_PER_S: Final = 1_000_000_000
# The clocks of stores are not ours.
SPARE_S: Final = 60
MAX_MESSAGES: Final = 200_000
# A key that is new at the provider is in metadata that is newer than ours.
MAYBE_NEW_KEY: Final = frozenset({"signature-invalid", "signature-key"})

NOT_ACCEPTED: Final = Words(
    title="This sign-in was not accepted",
    text="What the sign-in service says about you can't be accepted. Try again. If that does not "
    "help, give the reference below to whoever runs this service.",
)


class Judged(Protocol):
    """What a message was found to be, check by check."""

    @property
    def checks(self) -> tuple[Check, ...]:
        """What was looked at."""
        ...


V = TypeVar("V", bound=Judged)


def _read_used(data: bytes) -> bytes:
    if data:
        raise BadRecord("not-empty")
    return data


USED_MESSAGES: Final = Kind(
    name="saml-message", encode=bytes, decode=_read_used, max_entries=MAX_MESSAGES
)


def signed_in(
    config: Config,
    exchange: Exchange,
    encoded: str,
    *,
    request_id: str | None,
    since_ns: int | None,
) -> Asking[LoggedIn | LoginRefused]:
    """Return who has signed in, by the value of a form's `SAMLResponse`.

    `request_id` is that of our request, None for an answer to none. Since `since_ns` the user has
    to have shown credentials, None for any time.
    """
    service, now_ns = service_of(config, exchange), exchange.surroundings.now_ns()

    def judge(provider: IdentityProvider) -> Accepted | Refusal:
        from actions.saml.assertion_checks import Expected
        from actions.saml.response import validate_response

        expected = Expected(request_id=request_id, authenticated_since_ns=since_ns)
        return validate_response(encoded, provider, service, expected, now_ns)

    judged = yield from judged_by_provider(config, exchange, judge)
    if isinstance(judged, LoginRefused):
        return judged
    provider, verdict = judged
    used = yield from use_up(provider, verdict.assertion.id, verdict.use_once_until_ns, now_ns)
    if used is not None:
        return used
    return _logged_in(config, exchange, verdict, provider, service)


def judged_by_provider(
    config: Config,
    exchange: Exchange,
    judge: Callable[[IdentityProvider], V | Refusal],
) -> Asking[tuple[IdentityProvider, V] | LoginRefused]:
    """Return what was accepted and whose it is, or why it was refused.

    A signature that none of the known keys has made is looked at again if there are new ones.
    """
    provider = yield from get_provider(config)
    if isinstance(provider, LoginRefused):
        return provider
    known = provider
    verdict: V | Refusal = yield Compute(run=lambda: judge(known))
    # What judged has loaded the XML libraries, in a thread.
    from actions.saml.response import Refusal

    if isinstance(verdict, Refusal) and verdict.reason in MAYBE_NEW_KEY:
        newer = yield from get_newer_provider(config, provider)
        if newer is not None:
            provider = newer
            verdict = yield Compute(run=lambda: judge(newer))
    if exchange.checks is not None:
        exchange.checks.extend(verdict.checks)
    if isinstance(verdict, Refusal):
        return LoginRefused(
            status_code=403,
            reason=f"saml-{verdict.reason}",
            error_code=REFUSED,
            detail=f"SAML: {verdict.detail}",
            words=NOT_ACCEPTED,
        )
    return provider, verdict


def use_up(
    provider: IdentityProvider, message_id: str, until_ns: int, now_ns: int
) -> Asking[LoginRefused | None]:
    """Take note of a message, so that it counts once (SA-17); returns the refusal of the second.

    The note is in the store, which replicas share, and outlasts the message.
    """
    stored: int | StoreUnavailable | None = yield StorePut(
        kind=USED_MESSAGES,
        key=digest(f"{provider.entity_id}\0{message_id}"),
        value=b"",
        ttl_s=max(until_ns - now_ns, 0) / NS_PER_S + SPARE_S,
        if_version=ABSENT,
    )
    if isinstance(stored, StoreUnavailable):
        return LoginRefused(
            status_code=503,
            reason=STORE_UNAVAILABLE,
            error_code=READ_FAILED_CODE,
            detail=f"store: {stored.reason}",
            retry_after_s=RETRY_AFTER_S,
        )
    if stored is None:
        return LoginRefused(
            status_code=403,
            reason="saml-replayed",
            error_code=REFUSED,
            detail="SAML: a message that was used before",
            words=NOT_ACCEPTED,
        )
    return None


def _logged_in(
    config: Config,
    exchange: Exchange,
    accepted: Accepted,
    provider: IdentityProvider,
    service: ServiceProvider,
) -> LoggedIn | LoginRefused:
    assertion = accepted.assertion
    details = details_of(assertion, config, service)
    may_pass = is_authorized(details["groups"], config)
    if exchange.checks is not None and config.authorized_groups is not None:
        found = ", ".join(details["groups"][:20]) or "none"
        exchange.checks.append(Check(subject="groups", passed=may_pass, detail=found))
    if not may_pass:
        return LoginRefused(
            status_code=403,
            reason="saml-group-refused",
            error_code=NOT_PERMITTED,
            detail="SAML: the user is in none of the authorized_groups",
        )
    return LoggedIn(
        person=person_of(assertion, config, provider, service),
        provider=(host_of(provider.entity_id), provider.entity_id),
        provider_session=assertion.session_index or "",
        ends_ns=assertion.session_not_on_or_after_ns,
        details=details,
    )
