"""Where keys come from, and whose tokens each key set may speak for (D1-9, JW-18).

With one issuer every set is its own. With several, a set belongs to the issuer at the same
origin; where more than one is, to those that share the longest beginning of the path, as tenants
of one server do. A set that belongs to none of them serves all, with a warning at load.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

from actions.jose.key_set import KeySet, parse_key_set, parse_local_key_set
from policy.effect import Document, GetDocument

FILE: Final = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """A key set that is fetched, or `inline` one. `issuers` are those that it serves."""

    issuers: frozenset[str]
    at_hand: GetDocument | None = None
    awaited: GetDocument | None = None
    inline: Document | None = None

    @property
    def name(self) -> str:
        """What explanations call it."""
        return self.awaited.url if self.awaited is not None else "the policy's own key set"

    def newer(self, version: int) -> GetDocument | None:
        """Ask for a newer version; None where there can be none."""
        return None if self.awaited is None else replace(self.awaited, newer_than=version)


def fetched_source(url: str, issuers: tuple[str, ...]) -> KeySource:
    """Make the source of a key set with a URL."""
    request = key_set_request(url)
    return KeySource(
        issuers=served_issuers(url, issuers),
        at_hand=replace(request, wait=False),
        awaited=request,
    )


def inline_source(keys: KeySet, issuers: tuple[str, ...]) -> KeySource:
    """Make the source of a key set that stands in the policy."""
    return KeySource(issuers=frozenset(issuers), inline=Document(value=keys, version=1))


def key_set_request(url: str) -> GetDocument:
    """Ask for a key set; one in a file of the operator's may hold secrets."""
    parse: Any = parse_local_key_set if urlsplit(url).scheme == FILE else parse_key_set
    return GetDocument(url=url, parse=parse)


def served_issuers(url: str, issuers: Iterable[str]) -> frozenset[str]:
    """Return the issuers whose tokens a key set's keys may have signed."""
    everyone = frozenset(issuers)
    mine = [issuer for issuer in everyone if _origin(issuer) == _origin(url)]
    if len(everyone) == 1 or not mine or _origin(url) is None:
        return everyone
    closest = max(_shared_segments(issuer, url) for issuer in mine)
    return frozenset(issuer for issuer in mine if _shared_segments(issuer, url) == closest)


def belongs_to_none(url: str, issuers: Iterable[str]) -> bool:
    """Tell whether a key set serves several issuers because it belongs to none of them."""
    everyone = frozenset(issuers)
    return len(everyone) > 1 and served_issuers(url, everyone) == everyone


def _origin(url: str) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None


def _shared_segments(issuer: str, url: str) -> int:
    count = 0
    ours, theirs = (urlsplit(each).path.strip("/").split("/") for each in (issuer, url))
    for one, other in zip(ours, theirs, strict=False):
        if one != other or not one:
            break
        count += 1
    return count
