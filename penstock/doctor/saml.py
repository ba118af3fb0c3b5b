"""Examines a SAML provider: its metadata, and whether what it sends could be accepted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from cryptography import x509

from actions.login.paths import LOGOUT
from actions.login.public_origin import is_loopback
from actions.saml.assertion_checks import Expected
from actions.saml.instant import NS_PER_S, render_instant
from actions.saml.keys import load_private_key
from actions.saml.metadata import Metadata, parse_metadata
from actions.saml.names import UNSPECIFIED, UNSPECIFIED_2
from actions.saml.parties import IdentityProvider
from actions.saml.paths import ASSERTION_CONSUMER, METADATA, SINGLE_LOGOUT
from actions.saml.provider import metadata_request
from actions.saml.response import validate_response
from actions.saml.service import service_at
from actions.saml.settings import Config, certificate_octets
from penstock.doctor.finding import Finding, doubtful, fine, unseen, wrong
from penstock.doctor.logins import Login
from penstock.doctor.network import Answer, ask, check_answered, check_clock, get
from penstock.doctor.registration import own_url
from penstock.saml_response import answered_request
from policy.config_types import Pending
from policy.effect import BadDocument, Fetched, FetchFailed
from proxy.documents import document_path, read_document
from proxy.fetcher import Fetcher

SOON_S: Final = 14 * 86_400
CHECK_METADATA: Final = "metadata"
REMEDIES: Final = {
    "not-metadata": "that is another document: look for the metadata's address at the provider",
    "no-identity-provider": "take the metadata of the identity provider, not of a service",
    "no-signing-certificate": "a certificate with an RSA key of 2048 bits, or an elliptic curve",
    "no-redirect-endpoint": "let the provider offer its sign-in by the HTTP-Redirect binding",
    "endpoint-not-https": "the provider's addresses have to be https",
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Evidence:
    """What a provider says of itself; `metadata` is None if that is of no use, by `rejected`.

    `answer` is None for metadata that was not fetched, `provider` the one that is meant.
    """

    login: Login
    settings: Config
    answer: Answer | None
    metadata: Metadata | None
    rejected: str
    provider: IdentityProvider | None
    now_ns: int

    @property
    def title(self) -> str:
        """Name the provider."""
        if self.provider is not None:
            return self.provider.entity_id
        request = metadata_request(self.settings)
        return self.settings.idp_entity_id or (request.url if request else "metadata here")


Check: TypeAlias = Callable[[Evidence], Finding | None]


async def gather(login: Login, settings: Config, fetcher: Fetcher) -> Evidence:
    """Get the provider's metadata, from wherever it is."""
    answer, content, rejected = None, b"", ""
    request = metadata_request(settings)
    path = None if request is None else document_path(request.url)
    if path is not None:
        content, rejected = _file(path)
    elif request is not None:
        answer = await ask(fetcher, get(request.url))
        content = answer.result.body if isinstance(answer.result, Fetched) else b""
    else:
        content = (settings.idp_metadata or "").encode("utf-8", "surrogateescape")
    metadata = None
    if content:
        try:
            metadata = parse_metadata(content)
        except BadDocument as error:
            rejected = error.reason
    return Evidence(
        login=login,
        settings=settings,
        answer=answer,
        metadata=metadata,
        rejected=rejected,
        provider=None if metadata is None else metadata.provider(settings.idp_entity_id),
        now_ns=time.time_ns(),
    )


def _file(path: Path) -> tuple[bytes, str]:
    content = read_document(path)
    return (b"", content.reason) if isinstance(content, FetchFailed) else (content, "")


def findings(evidence: Evidence, saml_response: str | None) -> Iterator[Finding]:
    """Go through everything that was found, in the order of the way that a login takes."""
    for check in CHECKS:
        found = check(evidence)
        if found is not None:
            yield found
    if saml_response is not None:
        yield from check_response(evidence, saml_response)


def check_metadata(at: Evidence) -> Finding:
    """Look at whether there is metadata of one provider."""
    if at.answer is not None:
        unanswered = check_answered(CHECK_METADATA, at.answer)
        if unanswered is not None:
            return unanswered
    if isinstance(at.settings.idp_metadata, Pending):
        remedy = "name the configuration with its vaults by --config"
        return unseen(CHECK_METADATA, "it waits for a request", remedy)
    if at.metadata is None:
        remedy = REMEDIES.get(at.rejected, "get the metadata anew from the provider")
        return wrong(CHECK_METADATA, f"it can't be used: {at.rejected or 'empty'}", remedy)
    if at.provider is None:
        names = ", ".join(each.entity_id for each in at.metadata.providers[:5])
        return wrong(
            CHECK_METADATA,
            f"it describes {len(at.metadata.providers)} providers: {names}",
            "name the one that is meant in idp_entity_id",
        )
    return fine(CHECK_METADATA, f"of {at.provider.entity_id}")


def check_validity(at: Evidence) -> Finding | None:
    """Look at how long the metadata may be used."""
    if at.provider is None:
        return None
    until_ns = at.provider.valid_until_ns
    if until_ns is None:
        return fine("validity", "the metadata has no end")
    detail = f"the metadata is valid until {render_instant(until_ns)}"
    if until_ns <= at.now_ns:
        return wrong("validity", detail, "get the metadata anew; use idp_metadata_url")
    if until_ns <= at.now_ns + SOON_S * NS_PER_S and at.settings.idp_metadata_url is None:
        return doubtful("validity", detail, "use idp_metadata_url, which is kept fresh")
    return fine("validity", detail)


def check_certificates(at: Evidence) -> Finding | None:
    """Look at the provider's certificates; also one that has expired goes on counting."""
    if at.provider is None:
        return None
    ends = [certificate_end(each) for each in at.provider.signing_certificates]
    detail = ", ".join(f"until {end:%Y-%m-%d}" for end in ends)
    if max(ends) <= datetime.fromtimestamp(at.now_ns / NS_PER_S, UTC):
        remedy = "nothing breaks by that; but ask the provider when it changes its key"
        return doubtful("certificates", detail, remedy)
    return fine("certificates", detail)


def certificate_end(certificate: bytes) -> datetime:
    """Return until when a DER certificate is valid."""
    return x509.load_der_x509_certificate(certificate).not_valid_after_utc


def check_requests(at: Evidence) -> Finding | None:
    """Look at where our requests go, and whether they can be signed as they have to be."""
    if at.provider is None:
        return None
    detail = f"by HTTP-Redirect to {at.provider.sign_in_url}"
    if at.provider.wants_requests_signed and at.settings.sp_private_key is None:
        remedy = "add sp_private_key and sp_certificate"
        return wrong("requests", f"{detail}; it wants them signed", remedy)
    is_signed = at.provider.wants_requests_signed or at.settings.signs_requests
    return fine("requests", f"{detail}, {'signed' if is_signed else 'not signed'}")


def check_name_format(at: Evidence) -> Finding | None:
    """Look at whether the provider offers the sort of name that it is asked for."""
    wanted = at.settings.nameid_format
    if at.provider is None or wanted in (UNSPECIFIED, UNSPECIFIED_2):
        return None
    offered = at.provider.name_id_formats
    if offered and wanted not in offered:
        return doubtful(
            "name id",
            f"asked for {wanted}, offered are {', '.join(offered)}",
            "set nameid_format to one that it offers: any other name is refused",
        )
    return fine("name id", f"asked for {wanted}")


def check_own_key(at: Evidence) -> Finding:
    """Look at our own key: what it can do, and how long its certificate lasts."""
    key, certificate = at.settings.sp_private_key, at.settings.sp_certificate
    if at.login.unresolved:
        return wrong(
            "own key",
            f"the ${{...}} in {at.login.unresolved!r} has no value",
            "name the configuration with its vaults by --config, and check that the vault has it",
        )
    if key is None or certificate is None:
        return fine("own key", "none: no signed requests, encrypted assertions or single logout")
    if isinstance(key, Pending) or isinstance(certificate, Pending):
        return unseen("own key", "it waits for a request")
    load_private_key(key.encode("ascii"))
    end = certificate_end(certificate_octets(certificate))
    detail = f"its certificate is valid until {end:%Y-%m-%d}"
    if end.timestamp() <= at.now_ns / NS_PER_S:
        remedy = "some providers refuse it: renew it, and give them our metadata anew"
        return doubtful("own key", detail, remedy)
    return fine("own key", detail)


def check_own_addresses(at: Evidence) -> Finding:
    """Show what has to be registered at the provider."""
    own = at.login
    shown = (
        f"register {own_url(own, ASSERTION_CONSUMER)} as assertion consumer (POST) of "
        f"{at.settings.entity_id or own_url(own, METADATA)}; all of it is in "
        f"{own_url(own, METADATA)}"
    )
    if not own.public_url:
        remedy = "say which host: --url https://app.example.com, or --config penstock.yml"
        return unseen("registration", shown, remedy)
    parts = urlsplit(own.public_url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        remedy = "use https: browsers lose the cookie of the login on the way back"
        return wrong("registration", shown, remedy)
    return fine("registration", shown)


def check_logout(at: Evidence) -> Finding | None:
    """Say whether a logout here is one at the provider as well."""
    if at.provider is None:
        return None
    if not at.provider.logout_endpoints:
        return fine("logout", f"the provider has none: {LOGOUT} ends the session here only")
    if at.settings.sp_private_key is None:
        return doubtful(
            "logout",
            "the provider has a single logout, whose messages have to be signed",
            "add sp_private_key and sp_certificate",
        )
    return fine("logout", f"register {own_url(at.login, SINGLE_LOGOUT)} as single logout service")


def check_provider_clock(at: Evidence) -> Finding | None:
    """Compare clocks, where something was fetched."""
    return None if at.answer is None else check_clock([at.answer])


def check_response(at: Evidence, encoded: str) -> Iterator[Finding]:
    """Judge a response as a login would, check by check, if it answered a request of ours."""
    if at.provider is None or not at.login.public_url or at.login.unresolved:
        yield unseen("response", "not looked at", "see to what is said above, and give --url")
        return
    verdict = validate_response(
        encoded,
        at.provider,
        service_at(at.settings, at.login.public_url),
        Expected(request_id=answered_request(encoded)),
        at.now_ns,
    )
    for check in verdict.checks:
        subject = f"response: {check.subject}"
        if check.passed:
            yield fine(subject, check.detail)
        else:
            yield wrong(subject, check.detail, "the list of reasons says what is meant")


CHECKS: Final[tuple[Check, ...]] = (
    check_metadata,
    check_validity,
    check_certificates,
    check_requests,
    check_name_format,
    check_own_key,
    check_provider_clock,
    check_own_addresses,
    check_logout,
)
