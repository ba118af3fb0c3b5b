"""Verifies one token: that a key of its issuer has signed it, and that its claims are in order.

Whatever was found in order is remembered with the key set that signed it, under the token and all
that was asked of it, until it expires. That is the usual way through here: one look-up.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
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
from actions.jwt_validation.result import Result, TokenResult
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


@dataclass(frozen=True, slots=True)
class Refusal:
    """A token that was not accepted; `token` as far as it could be read."""

    refused: Refused
    token: TokenResult | None = None


Accepted: TypeAlias = Continue[Result]
Verdict: TypeAlias = Accepted | Refusal
Mark: TypeAlias = tuple[bytes, str | bytes]
Answers: TypeAlias = list[tuple[KeySource, Document | Unavailable]]


def recall(
    verifier: Verifier, place: TokenPlace, written: str, surroundings: Surroundings
) -> Accepted | None:
    """Return the outcome for a token that was in order before, and still is; else None.

    `written` is the token as it stands in its place, behind the configured prefix. This is the
    usual way of a request, so it asks for nothing that takes time.
    """
    mark, now_ns = _mark(place, written), surroundings.now_ns()
    for source in verifier.sources:
        keys = source.inline or surroundings.document_at_hand(source.awaited)  # type: ignore[arg-type]  # one of both is there
        if keys is not None:
            remembered: Accepted | None = keys.value.remembered.find(mark, now_ns)
            if remembered is not None:
                return remembered
    return None


def verify(
    verifier: Verifier, place: TokenPlace, text: str, exchange: Exchange
) -> Generator[Effect, Any, Verdict]:
    """Verify one token: the cheap checks first, then the signature; yields effects for keys.

    A token in order gives the outcome for a request that shows it alone: made once, it is what
    is remembered.
    """
    try:
        token = parse_token(text)
    except CriticalExtension as error:
        return Refusal(_told(exchange, "token", str(error), CRITICAL_EXTENSION))
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
    _tell(exchange, "alg", lambda: algorithm.name)

    surroundings = exchange.surroundings
    answers: Answers = []
    for source in (yield from _sources_of(claims.get("iss"), verifier, exchange)):
        known = source.inline or surroundings.document_at_hand(source.awaited)  # type: ignore[arg-type]  # one of both is there
        answers.append((source, known or (yield source.at_hand)))  # type: ignore[misc]  # as above
    keys = yield from find_signer(token, algorithm, answers, exchange)
    now_ns = surroundings.now_ns()
    shown = Shown(claims, token, now_ns / NS_PER_S)
    if exchange.checks is not None:
        for claim, detail, fault in findings(place.checks, shown):
            exchange.checks.append(Check(subject=claim, passed=fault is None, detail=detail))
    refused = keys if isinstance(keys, Refused) else refusal_of(place.checks, shown)
    result = TokenResult(
        header=token.header,
        payload=claims,
        signature=text.rpartition(".")[2],
        location=place.location,
        location_property=place.written_name,
        verified=refused is None,
    )
    if refused is not None:
        return Refusal(refused, result)
    assert isinstance(keys, KeySet)
    until_ns = valid_until_ns(claims, verifier.rules, now_ns)
    accepted = Continue(Result(tokens=[result]), admitted_until_ns=until_ns)
    mark = _mark(place, place.prefix + text)
    keys.remembered.keep(mark, accepted, from_ns=now_ns, until_ns=until_ns)
    return accepted


def _mark(place: TokenPlace, written: str) -> Mark:
    """Name a token and all that is asked of it; of a long one a digest, so that marks are small.

    It is named by how it stands in its place, in the one usual spelling: what a request shows can
    be looked up as it is, and one token can't fill the memory by being shown with more spaces.
    """
    if len(written) <= MAX_MARK:
        return place.fingerprint, written
    return place.fingerprint, sha256(written.encode("utf-8", "surrogateescape")).digest()


def _sources_of(
    issuer: object, verifier: Verifier, exchange: Exchange
) -> Generator[Effect, Any, Sequence[KeySource]]:
    """Return the key sets that an issuer's keys are looked up in (JW-18).

    A token from anybody else is looked up in all of them: whether it is signed decides how it is
    refused.
    """
    if not isinstance(issuer, str) or issuer not in verifier.rules.issuers:
        return verifier.sources
    request = verifier.metadata.get(issuer)
    if request is not None:
        answer = exchange.surroundings.document_at_hand(request) or (yield request)
        if isinstance(answer, Document) and answer.value.issuer == issuer:
            named = [each for each in verifier.sources if each.name == answer.value.jwks_uri]
            if named:
                _tell(exchange, "keys", lambda: f"{named[0].name}, by its metadata")
                return named
    return [each for each in verifier.sources if issuer in each.issuers]


def find_signer(
    token: Token, algorithm: Algorithm, answers: Answers, exchange: Exchange
) -> Generator[Effect, Any, KeySet | Refused]:
    """Return the key set with the key that signed a token.

    First what is at hand; then what was not; then, because issuers change their keys, what may be
    newer: so a new key's first token passes, and a made-up one costs a fetch a minute at most.
    """
    known = [(source, answer) for source, answer in answers if isinstance(answer, Document)]
    missing = [source for source, answer in answers if isinstance(answer, Unavailable)]
    for source, document in known:
        if _has_signed(token, algorithm, source, document, exchange):
            return _keys(document)
    unavailable = False
    for source in missing:
        answer = yield source.awaited  # type: ignore[misc]  # inline sets are never missing
        if not isinstance(answer, Document):
            unavailable = True
            told = f"{source.name}: {answer.reason}"
            exchange.warnings.append(f"jwt-validation: {told}")
            _told(exchange, "keys", told, KEYS_UNAVAILABLE)
        elif _has_signed(token, algorithm, source, answer, exchange):
            return _keys(answer)
    for source, document in known:
        request = source.newer(document.version)
        answer = document if request is None else (yield request)
        if (
            isinstance(answer, Document)
            and answer.version > document.version
            and _has_signed(token, algorithm, source, answer, exchange)
        ):
            return _keys(answer)
    if unavailable:
        return KEYS_UNAVAILABLE
    kid = "no kid" if token.kid is None else f"kid {token.kid!r}"
    return _told(exchange, "signature", f"no key that fits ({kid}) has made it", SIGNATURE_INVALID)


def _has_signed(
    token: Token, algorithm: Algorithm, source: KeySource, document: Document, exchange: Exchange
) -> bool:
    key = signing_key(token, _keys(document), algorithm)
    if key is None:
        return False
    _tell(exchange, "signature", lambda: f"made with a key of {source.name}")
    return True


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


def _tell(exchange: Exchange, subject: str, detail: Callable[[], str]) -> None:
    """Tell what was found in order, if anybody asks: nearly always nobody does."""
    if exchange.checks is not None:
        exchange.checks.append(Check(subject=subject, passed=True, detail=detail()))
