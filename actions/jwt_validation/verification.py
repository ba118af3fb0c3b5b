"""Verifies one token: that a key of its issuer has signed it, and that its claims are in order.

Whatever was found in order is remembered with the key set that signed it, under the token and all
that was asked of it, until it expires. That is the usual way through here: one look-up.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, TypeAlias

from actions.jose.algorithm import ALGORITHMS, Algorithm
from actions.jose.key_set import KeySet
from actions.jose.signature import signing_key
from actions.jose.strict_json import JsonError, parse_object
from actions.jose.token import CriticalExtension, Token, TokenError, parse_token
from actions.jwt_validation.claims import (
    NS_PER_S,
    ClaimRules,
    Shown,
    findings,
    refusal_of,
    valid_until_ns,
)
from actions.jwt_validation.key_source import KeySource
from actions.jwt_validation.presented import TokenPlace
from actions.jwt_validation.refusals import (
    ALG_NOT_ALLOWED,
    CRITICAL_EXTENSION,
    INVALID_CLAIMS,
    KEYS_UNAVAILABLE,
    SIGNATURE_INVALID,
    TOKEN_MALFORMED,
    Refused,
)
from actions.jwt_validation.result import Result, TokenResult, Verified
from policy.action import Continue
from policy.effect import Document, Effect, GetDocument, Unavailable
from policy.exchange import Check, Exchange
from policy.surroundings import Surroundings

# Nearly all tokens are shorter. What is remembered of them stays within some megabytes.
MAX_MARK: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """What is asked of tokens. `metadata` is there for issuers whose key set nothing else tells."""

    algorithms: frozenset[str]
    rules: ClaimRules
    sources: tuple[KeySource, ...]
    metadata: Mapping[str, GetDocument] = field(default_factory=dict)


# What is asked of a token in its place, and the token.
Mark: TypeAlias = tuple[bytes, str | bytes]


class Refusal:
    """A token that was not accepted; `token` as far as it could be read."""

    __slots__ = ("refused", "token")

    def __init__(self, refused: Refused, token: TokenResult | None = None) -> None:
        self.refused = refused
        self.token = token


class Unverified:
    """A token that was read, and that nobody has believed yet. It is remembered as `mark`."""

    __slots__ = ("algorithm", "claims", "mark", "text", "token")

    def __init__(
        self, text: str, mark: Mark, token: Token, algorithm: Algorithm, claims: dict[str, Any]
    ) -> None:
        self.text = text
        self.mark = mark
        self.token = token
        self.algorithm = algorithm
        self.claims = claims


Accepted: TypeAlias = Continue[Result]
Verdict: TypeAlias = Accepted | Refusal
Answers: TypeAlias = list[tuple[KeySource, Document | Unavailable]]
Verifying: TypeAlias = Generator[Effect, Any, Verdict]


def mark_of(place: TokenPlace, written: str) -> Mark:
    """Name a token and all that is asked of it; of a long one a digest, so that marks are small.

    It is named by how it stands in its place, behind the configured prefix, in the one usual
    spelling: what a request shows can be looked up as it is, and one token can't fill the memory
    by being shown with more spaces.
    """
    if len(written) <= MAX_MARK:
        return place.fingerprint, written
    return place.fingerprint, sha256(written.encode("utf-8", "surrogateescape")).digest()


def recall(verifier: Verifier, mark: Mark, surroundings: Surroundings) -> Accepted | None:
    """Return the outcome for a token that was in order before, and still is; else None.

    This is the usual way of a request, so it asks for nothing that takes time.
    """
    now_ns = surroundings.now_ns()
    for source in verifier.sources:
        document = _at_hand(source, surroundings)
        if document is not None:
            remembered: Accepted | None = _keys(document).remembered.find(mark, now_ns)
            if remembered is not None:
                return remembered
    return None


def verify(
    verifier: Verifier, place: TokenPlace, text: str, mark: Mark, exchange: Exchange
) -> Verdict | Verifying:
    """Verify one token: the cheap checks first, then the signature.

    Where all keys are at hand and one of them has signed it, the verdict is there at once; else
    it comes from a generator that asks for keys. A token in order gives the outcome for a request
    that shows it alone: made once, it is what is remembered.
    """
    read = _read(verifier, text, mark, exchange)
    if isinstance(read, Refusal):
        return read
    # Whoever is told what was looked at is told everything once, in its order.
    answers = _answers_at_hand(verifier, read, exchange) if exchange.checks is None else None
    if answers is not None:
        keys = _known_signer(read, answers, exchange)
        if keys is not None:
            return _judged(keys, read, verifier, place, exchange)
    return _verify_asking(verifier, place, read, answers, exchange)


def _read(verifier: Verifier, text: str, mark: Mark, exchange: Exchange) -> Unverified | Refusal:
    """Read a token as far as nobody's word has to be taken for it."""
    try:
        token = parse_token(text)
    except CriticalExtension as extension:
        return Refusal(_told(exchange, "token", str(extension), CRITICAL_EXTENSION))
    except TokenError as malformed:
        return Refusal(_told(exchange, "token", str(malformed), TOKEN_MALFORMED))
    algorithm = _algorithm(token, verifier.algorithms)
    if algorithm is None:
        allowed = ", ".join(sorted(verifier.algorithms))
        detail = f"{token.algorithm!r}, allowed: {allowed}"
        return Refusal(_told(exchange, "alg", detail, ALG_NOT_ALLOWED))
    try:
        claims = parse_object(token.payload)
    except JsonError as wrong:
        return Refusal(_told(exchange, "claims", str(wrong), INVALID_CLAIMS))
    if exchange.checks is not None:
        _tell(exchange, "alg", algorithm.name)
    return Unverified(text, mark, token, algorithm, claims)


def _answers_at_hand(verifier: Verifier, read: Unverified, exchange: Exchange) -> Answers | None:
    """Return the key sets of a token's issuer; None where one of them has to be asked for."""
    request, metadata = _metadata_request(verifier, read), None
    if request is not None:
        metadata = exchange.surroundings.document_at_hand(request)
        if metadata is None:
            return None
    answers: Answers = []
    for source in _sources_of(read, verifier, metadata, exchange):
        document = _at_hand(source, exchange.surroundings)
        if document is None:
            return None
        answers.append((source, document))
    return answers


def _verify_asking(
    verifier: Verifier,
    place: TokenPlace,
    read: Unverified,
    answers: Answers | None,
    exchange: Exchange,
) -> Verifying:
    """Verify a token that none of the keys at hand has signed; `answers` were tried in vain."""
    keys: KeySet | Refused | None = None
    if answers is None:
        answers = yield from _asked_for(verifier, read, exchange)
        keys = _known_signer(read, answers, exchange)
    if keys is None:
        keys = yield from _find_signer(read, answers, exchange)
    return _judged(keys, read, verifier, place, exchange)


def _judged(
    keys: KeySet | Refused,
    read: Unverified,
    verifier: Verifier,
    place: TokenPlace,
    exchange: Exchange,
) -> Verdict:
    """Judge the claims; `keys` are those that signed the token, or why there are none."""
    now_ns = exchange.surroundings.now_ns()
    shown = Shown(read.claims, read.token, now_ns / NS_PER_S)
    if exchange.checks is not None:
        for claim, detail, fault in findings(place.checks, shown):
            exchange.checks.append(Check(subject=claim, passed=fault is None, detail=detail))
    refused = keys if isinstance(keys, Refused) else refusal_of(place.checks, shown)
    if refused is not None:
        return Refusal(refused, _result(read, place))
    assert isinstance(keys, KeySet)
    until_ns = valid_until_ns(read.claims, verifier.rules, now_ns)
    result = Verified(read.text, place.location, place.written_name)
    accepted: Accepted = Continue(result, until_ns)
    keys.remembered.keep(read.mark, accepted, from_ns=now_ns, until_ns=until_ns)
    return accepted


def _result(read: Unverified, place: TokenPlace) -> TokenResult:
    """Return what expressions see of a token that was not accepted."""
    return TokenResult(
        header=read.token.header.members,
        payload=read.claims,
        signature=read.text.rpartition(".")[2],
        location=place.location,
        location_property=place.written_name,
        verified=False,
    )


def _asked_for(
    verifier: Verifier, read: Unverified, exchange: Exchange
) -> Generator[Effect, Any, Answers]:
    """Return the key sets of a token's issuer, as far as they can be had at once."""
    request = _metadata_request(verifier, read)
    metadata: Document | Unavailable | None = None
    if request is not None:
        metadata = exchange.surroundings.document_at_hand(request) or (yield request)
    answers: Answers = []
    for source in _sources_of(read, verifier, metadata, exchange):
        document = _at_hand(source, exchange.surroundings)
        answers.append((source, document or (yield source.at_hand)))  # type: ignore[misc]  # inline sets are at hand
    return answers


def _metadata_request(verifier: Verifier, read: Unverified) -> GetDocument | None:
    """Return what to ask for to know the issuer's key set; None where that is known."""
    issuer = read.claims.get("iss")
    return verifier.metadata.get(issuer) if isinstance(issuer, str) else None


def _sources_of(
    read: Unverified,
    verifier: Verifier,
    metadata: Document | Unavailable | None,
    exchange: Exchange,
) -> Sequence[KeySource]:
    """Return the key sets that an issuer's keys are looked up in (JW-18).

    A token from anybody else is looked up in all of them: whether it is signed decides how it is
    refused.
    """
    issuer = read.claims.get("iss")
    if not isinstance(issuer, str) or issuer not in verifier.rules.issuers:
        return verifier.sources
    if isinstance(metadata, Document) and metadata.value.issuer == issuer:
        named = [each for each in verifier.sources if each.name == metadata.value.jwks_uri]
        if named:
            if exchange.checks is not None:
                _tell(exchange, "keys", f"{named[0].name}, by its metadata")
            return named
    return [each for each in verifier.sources if issuer in each.issuers]


def _known_signer(read: Unverified, answers: Answers, exchange: Exchange) -> KeySet | None:
    """Return the key set, of those that are there, with the key that signed a token."""
    for source, answer in answers:
        if isinstance(answer, Document) and _has_signed(read, source, answer, exchange):
            return _keys(answer)
    return None


def _find_signer(
    read: Unverified, answers: Answers, exchange: Exchange
) -> Generator[Effect, Any, KeySet | Refused]:
    """Return the key set with the key that signed a token, when none that is there has.

    First come those that are not there yet; then, because issuers change their keys, what may be
    newer: so a new key's first token passes, and a made-up one costs a fetch a minute at most.
    """
    unavailable = False
    for source, missing in answers:
        if isinstance(missing, Document):
            continue
        answer = yield source.awaited  # type: ignore[misc]  # inline sets are never missing
        if not isinstance(answer, Document):
            unavailable = True
            told = f"{source.name}: {answer.reason}"
            exchange.warnings.append(f"jwt-validation: {told}")
            _told(exchange, "keys", told, KEYS_UNAVAILABLE)
        elif _has_signed(read, source, answer, exchange):
            return _keys(answer)
    for source, known in answers:
        if not isinstance(known, Document):
            continue
        request = source.newer(known.version)
        newer = known if request is None else (yield request)
        if (
            isinstance(newer, Document)
            and newer.version > known.version
            and _has_signed(read, source, newer, exchange)
        ):
            return _keys(newer)
    if unavailable:
        return KEYS_UNAVAILABLE
    kid = "no kid" if read.token.kid is None else f"kid {read.token.kid!r}"
    return _told(exchange, "signature", f"no key that fits ({kid}) has made it", SIGNATURE_INVALID)


def _has_signed(
    read: Unverified, source: KeySource, document: Document, exchange: Exchange
) -> bool:
    if signing_key(read.token, _keys(document), read.algorithm) is None:
        return False
    if exchange.checks is not None:
        _tell(exchange, "signature", f"made with a key of {source.name}")
    return True


def _at_hand(source: KeySource, surroundings: Surroundings) -> Document | None:
    """Return a key set that may be used without asking for it."""
    if source.awaited is None:
        return source.inline
    return surroundings.document_at_hand(source.awaited)


def _keys(document: Document) -> KeySet:
    keys: KeySet = document.value
    return keys


def _algorithm(token: Token, allowed: frozenset[str]) -> Algorithm | None:
    name = token.algorithm
    return ALGORITHMS.get(name) if isinstance(name, str) and name in allowed else None


def _told(exchange: Exchange, subject: str, detail: str, refused: Refused) -> Refused:
    if exchange.checks is not None:
        exchange.checks.append(Check(subject=subject, passed=False, detail=detail))
    return refused


def _tell(exchange: Exchange, subject: str, detail: str) -> None:
    """Tell what was found in order, to somebody who asks."""
    if exchange.checks is not None:
        exchange.checks.append(Check(subject=subject, passed=True, detail=detail))
