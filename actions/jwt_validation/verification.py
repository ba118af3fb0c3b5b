"""Verifies one token: that a key of its issuer has signed it, and that its claims are in order.

Whatever was found in order is remembered with the key set that signed it, under a digest of the
token and of all that was asked of it, until it expires. That is the usual way through here:
one digest, one look-up.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeAlias

from actions.jose.algorithm import ALGORITHMS, Algorithm
from actions.jose.key_set import KeySet
from actions.jose.signature import signing_key
from actions.jose.strict_json import JsonError, parse_object
from actions.jose.token import CriticalExtension, Token, TokenError, parse_token
from actions.jwt_validation.claims import ClaimRules, Finding, check_claims, valid_until_ns
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
from policy.effect import Document, Effect, Unavailable
from policy.exchange import Check, Exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """What is asked of tokens, made once per configuration."""

    algorithms: frozenset[str]
    rules: ClaimRules
    sources: tuple[KeySource, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A token that was not accepted; `token` as far as it could be read."""

    refused: Refused
    token: TokenResult | None = None


Accepted: TypeAlias = Continue[Result]
Verdict: TypeAlias = Accepted | Refusal
Answers: TypeAlias = list[tuple[KeySource, Document | Unavailable]]


def verify(
    verifier: Verifier, place: TokenPlace, text: str, exchange: Exchange
) -> Generator[Effect, Any, Verdict]:
    """Verify one token; yields effects for keys.

    A token in order gives the outcome for a request that shows it alone: made once, it is what
    is remembered.
    """
    now_ns = exchange.surroundings.now_ns()
    mark = place.fingerprint + sha256(text.encode("utf-8", "surrogateescape")).digest()
    answers: Answers = []
    for source in verifier.sources:
        answer = source.inline or (yield source.at_hand)  # type: ignore[misc]  # one is there
        if isinstance(answer, Document):
            remembered: Accepted | None = answer.value.remembered.find(mark, now_ns)
            if remembered is not None:
                return remembered
        answers.append((source, answer))
    fresh = yield from verify_anew(verifier, place, text, answers, exchange)
    if isinstance(fresh, Refusal):
        return fresh
    token, keys = fresh
    until_ns = valid_until_ns(token.payload, verifier.rules, now_ns)
    accepted = Continue(Result(tokens=[token]), admitted_until_ns=until_ns)
    keys.remembered.keep(mark, accepted, until_ns=until_ns)
    return accepted


def verify_anew(
    verifier: Verifier, place: TokenPlace, text: str, answers: Answers, exchange: Exchange
) -> Generator[Effect, Any, tuple[TokenResult, KeySet] | Refusal]:
    """Verify a token that nothing is known of: the cheap checks first, then the signature."""
    try:
        token = parse_token(text)
    except CriticalExtension as error:
        return Refusal(_told(exchange, "token", str(error), CRITICAL_EXTENSION))
    except TokenError as error:
        return Refusal(_told(exchange, "token", str(error), TOKEN_MALFORMED))
    algorithm = _algorithm(token, verifier.algorithms)
    if algorithm is None:
        allowed = ", ".join(sorted(verifier.algorithms))
        detail = f"{token.algorithm!r}, allowed: {allowed}"
        return Refusal(_told(exchange, "alg", detail, ALG_NOT_ALLOWED))
    try:
        claims = parse_object(token.payload)
    except JsonError as error:
        return Refusal(_told(exchange, "claims", str(error), INVALID_CLAIMS))
    _tell(exchange, [Finding("alg", algorithm.name)])

    issuer = claims.get("iss")
    if isinstance(issuer, str) and issuer in verifier.rules.issuers:
        answers = [each for each in answers if issuer in each[0].issuers]
    keys = yield from find_signer(token, algorithm, answers, exchange)
    findings = check_claims(
        claims, token, place.kind, verifier.rules, exchange.surroundings.now_ns()
    )
    _tell(exchange, findings)
    refused = keys if isinstance(keys, Refused) else _first_refusal(findings)
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
    return result, keys


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
            exchange.warnings.append(f"jwt-validation: {source.name}: {answer.reason}")
            _tell(exchange, [Finding("keys", f"{source.name}: {answer.reason}", KEYS_UNAVAILABLE)])
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
    _tell(exchange, [Finding("signature", f"made with a key of {source.name}")])
    return True


def _keys(document: Document) -> KeySet:
    keys: KeySet = document.value
    return keys


def _algorithm(token: Token, allowed: frozenset[str]) -> Algorithm | None:
    name = token.algorithm
    return ALGORITHMS.get(name) if isinstance(name, str) and name in allowed else None


def _first_refusal(findings: Iterable[Finding]) -> Refused | None:
    return next((each.refused for each in findings if each.refused is not None), None)


def _told(exchange: Exchange, subject: str, detail: str, refused: Refused) -> Refused:
    _tell(exchange, [Finding(subject, detail, refused)])
    return refused


def _tell(exchange: Exchange, findings: Iterable[Finding]) -> None:
    if exchange.checks is not None:
        exchange.checks.extend(
            Check(subject=each.claim, passed=each.refused is None, detail=each.detail)
            for each in findings
        )
