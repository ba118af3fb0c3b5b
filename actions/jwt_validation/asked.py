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

from actions.jwt_validation.claims import ClaimRules, claim_checks
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
    forwards: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of tokens, and where they stand.

    `in_one_field` is the place where it is the only one, and a header field. `withheld` are the
    header fields that the upstream does not get.
    """

    verifier: Verifier
    places: tuple[TokenPlace, ...]
    in_one_field: TokenPlace | None
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
        in_one_field=places[0] if len(places) == 1 and places[0].in_header else None,
        withheld=frozenset(
            place.name for place in places if place.in_header and not words.forwards
        ),
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
        checks=claim_checks(kind, words.rules),
        fingerprint=sha256(everything.encode("utf-8", "surrogateescape")).digest(),
    )


def doubtful(sources: tuple[KeySource, ...], issuers: Iterable[str]) -> dict[str, GetDocument]:
    """Name the issuers of which only their metadata can tell which key set is theirs."""
    own = {issuer for source in sources if len(source.issuers) == 1 for issuer in source.issuers}
    asked = {issuer: metadata_request(issuer) for issuer in issuers if issuer not in own}
    return {issuer: request for issuer, request in asked.items() if request is not None}
