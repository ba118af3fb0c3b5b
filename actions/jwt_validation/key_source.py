"""Where keys come from, and whose tokens each key set may speak for (D1-9, JW-18).

A key set belongs to the issuers that the policy names beside it; else to the issuer at the same
origin; where more than one is, to those that share the longest beginning of the path, as tenants
of one server do. A set that this leaves to nobody, or to several, belongs to those of them that
have no set of their own. Only where none of that tells is it the whole list's, with a warning at
load, and at run time an issuer's own metadata may still say which set is its (`metadata`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from actions.jose.key_set import KeySet, parse_key_set, parse_local_key_set
from policy.effect import Document, GetDocument

FILE: Final = "file"


class Described(NamedTuple):
    """A key set as the policy describes it: a URL or the keys, and whose it says it is."""

    url: str | None
    inline: KeySet | None = None
    owners: tuple[str, ...] = ()


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


def key_sources(described: Sequence[Described], issuers: Iterable[str]) -> tuple[KeySource, ...]:
    """Settle which issuers each key set serves."""
    everyone = frozenset(issuers)
    claims = [_closest(each, everyone) for each in described]
    settled = frozenset[str]().union(*(claim for claim in claims if len(claim) == 1))
    return tuple(
        _source(each, claim if each.owners else (claim - settled or claim))
        for each, claim in zip(described, claims, strict=True)
    )


def undecided(sources: Iterable[KeySource]) -> tuple[KeySource, ...]:
    """Return the key sets that serve several issuers for want of anything that tells whose."""
    return tuple(each for each in sources if len(each.issuers) > 1)


def key_set_request(url: str) -> GetDocument:
    """Ask for a key set; one in a file of the operator's may hold secrets."""
    parse: Any = parse_local_key_set if urlsplit(url).scheme == FILE else parse_key_set
    return GetDocument(url=url, parse=parse)


def _source(described: Described, issuers: frozenset[str]) -> KeySource:
    if described.inline is not None:
        return KeySource(issuers=issuers, inline=Document(value=described.inline, version=1))
    request = key_set_request(described.url or "")
    return KeySource(issuers=issuers, at_hand=replace(request, wait=False), awaited=request)


def _closest(described: Described, everyone: frozenset[str]) -> frozenset[str]:
    """Return the issuers that a key set may belong to, of itself: all, if nothing tells."""
    if described.owners:
        return everyone.intersection(described.owners)
    url = described.url or ""
    here = _origin(url)
    mine = [issuer for issuer in everyone if here is not None and _origin(issuer) == here]
    if len(everyone) == 1 or not mine:
        return everyone
    closest = max(_shared_segments(issuer, url) for issuer in mine)
    return frozenset(issuer for issuer in mine if _shared_segments(issuer, url) == closest)


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
