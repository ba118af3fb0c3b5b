"""All that a configuration asks of a request's tokens, made ready once.

A configuration with `${...}` in it is made anew for every request, though nearly always to say
the same as for the one before: what was made ready for the same words is used again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from actions.jwt_validation.claims import ClaimRules
from actions.jwt_validation.key_source import Described, KeySource, key_sources
from actions.jwt_validation.metadata import metadata_request
from actions.jwt_validation.presented import TokenPlace
from actions.jwt_validation.settings import ShownToken
from actions.jwt_validation.verification import Verifier
from policy.effect import GetDocument

MAX_READY = 256


class Words(NamedTuple):
    """A configuration, in words that can be compared."""

    rules: ClaimRules
    algorithms: tuple[str, ...]
    key_sets: tuple[Described, ...]
    shown: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of tokens, and where they stand; `withheld` are the header fields with them."""

    verifier: Verifier
    places: tuple[TokenPlace, ...]
    withheld: frozenset[str]


def words_of(shown: ShownToken) -> tuple[str, str, str, str]:
    """Return what a place is told by."""
    return shown.type, shown.method, shown.name, shown.prefix


@lru_cache(maxsize=MAX_READY)
def make_ready(words: Words) -> Asked:
    """Prepare a configuration."""
    sources = key_sources(words.key_sets, words.rules.issuers)
    places = tuple(_place(shown, words, sources) for shown in words.shown)
    return Asked(
        verifier=Verifier(
            algorithms=frozenset(words.algorithms),
            rules=words.rules,
            sources=sources,
            metadata=doubtful(sources, words.rules.issuers),
        ),
        places=places,
        withheld=frozenset(place.name for place in places if place.in_header),
    )


def _place(
    shown: tuple[str, str, str, str], words: Words, sources: tuple[KeySource, ...]
) -> TokenPlace:
    """Mark a place with everything that is asked of a token there."""
    kind, location, name, prefix = shown
    bound = [(source.name, sorted(source.issuers)) for source in sources]
    everything = repr([shown, words.rules, sorted(words.algorithms), bound])
    return TokenPlace(
        kind=kind,
        location=location,
        in_header=location == "header",
        name=name.lower(),
        prefix=prefix,
        written_name=name,
        fingerprint=sha256(everything.encode("utf-8", "surrogateescape")).digest(),
    )


def doubtful(sources: tuple[KeySource, ...], issuers: Iterable[str]) -> dict[str, GetDocument]:
    """Name the issuers of which only their metadata can tell which key set is theirs."""
    own = {issuer for source in sources if len(source.issuers) == 1 for issuer in source.issuers}
    asked = {issuer: metadata_request(issuer) for issuer in issuers if issuer not in own}
    return {issuer: request for issuer, request in asked.items() if request is not None}
