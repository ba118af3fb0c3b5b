"""Which identity provider a login is with, wherever its metadata is.

Metadata that is fetched, or stands in a file, is kept fresh, and the last good one serves on.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from actions.login.protocol import Asking, LoginRefused
from actions.saml.parties import IdentityProvider
from actions.saml.settings import Config
from policy.effect import Document, GetDocument, Unavailable
from policy.exchange import Exchange

if TYPE_CHECKING:
    from actions.saml.metadata import Metadata

UNREACHABLE: Final = "ERR_NGROK_3160"
PROVIDER_ERROR: Final = "ERR_NGROK_3112"
RETRY_AFTER_S: Final = 5
# The provider answers, but no second try will make that answer better.
REJECTED: Final = frozenset(
    {
        "not-metadata",
        "no-identity-provider",
        "no-signing-certificate",
        "certificate-malformed",
        "no-redirect-endpoint",
        "endpoint-not-https",
    }
)


def read_metadata_document(data: bytes) -> Metadata:
    """Read metadata that was fetched; raises BadDocument."""
    # The XML libraries are loaded for policies that need them only.
    from actions.saml.metadata import parse_metadata

    return parse_metadata(data)


@lru_cache(maxsize=64)
def inline_metadata(text: str) -> Metadata:
    """Read metadata that stands in a policy, where its type has checked it."""
    return read_metadata_document(text.encode("utf-8", "surrogateescape"))


def metadata_request(config: Config) -> GetDocument | None:
    """Ask for the metadata; None if it stands in the policy."""
    return _requested(config.idp_metadata_url, config.idp_metadata_file)


@lru_cache(maxsize=256)
def _requested(url: str | None, file: str | None) -> GetDocument | None:
    if file is not None:
        url = PurePosixPath(file).as_uri()
    return None if url is None else GetDocument(url=url, parse=read_metadata_document)


def provider_name(config: Config, _exchange: Exchange) -> tuple[str, str]:
    """Return a name for people, and what identifies the provider before its metadata is there."""
    request = metadata_request(config)
    place = config.idp_entity_id or (request.url if request else None)
    return _named(place, config.idp_metadata or "")


# Every request of everybody who is logged in asks for it.
@lru_cache(maxsize=256)
def _named(place: str | None, inline: str) -> tuple[str, str]:
    if place is not None:
        return host_of(place), place
    found = inline_metadata(inline).provider(None)
    return ("", "") if found is None else (host_of(found.entity_id), found.entity_id)


def host_of(uri: str) -> str:
    """Return the host of a URI, or all of it where it has none."""
    try:
        return urlsplit(uri).hostname or uri
    except ValueError:
        return uri


def get_provider(config: Config) -> Asking[IdentityProvider | LoginRefused]:
    """Return the provider; it may be down, now or when we started."""
    request = metadata_request(config)
    if request is None:
        return _meant(config, inline_metadata(config.idp_metadata or ""))
    answer: Document | Unavailable = yield request
    if isinstance(answer, Document):
        return _meant(config, answer.value)
    is_rejected = answer.reason in REJECTED or answer.reason.startswith("metadata-")
    return LoginRefused(
        status_code=502 if is_rejected else 503,
        reason="metadata-rejected" if is_rejected else "metadata-unavailable",
        error_code=PROVIDER_ERROR if is_rejected else UNREACHABLE,
        detail=f"the metadata at {request.url}: {answer.reason}",
        retry_after_s=None if is_rejected else RETRY_AFTER_S,
    )


def get_newer_provider(config: Config, known: IdentityProvider) -> Asking[IdentityProvider | None]:
    """Return the provider if its metadata has changed: it may sign with a new key (SA-20).

    Whoever sends us signatures of nobody makes us fetch once a minute at most.
    """
    request = metadata_request(config)
    if request is None:
        return None
    at_hand: Document | Unavailable = yield request
    if isinstance(at_hand, Unavailable):
        return None
    newer: Document | Unavailable = yield GetDocument(
        url=request.url, parse=request.parse, newer_than=at_hand.version
    )
    found = _meant(config, newer.value) if isinstance(newer, Document) else None
    return found if isinstance(found, IdentityProvider) and found != known else None


def _meant(config: Config, metadata: Metadata) -> IdentityProvider | LoginRefused:
    found = metadata.provider(config.idp_entity_id)
    if found is not None:
        return found
    named = ", ".join(repr(each.entity_id) for each in metadata.providers[:5])
    wanted = config.idp_entity_id
    detail = (
        f"the metadata has {named}; name one in idp_entity_id"
        if wanted is None
        else f"the metadata has {named}, and no {wanted!r}"
    )
    return LoginRefused(
        status_code=502, reason="metadata-rejected", error_code=PROVIDER_ERROR, detail=detail
    )
