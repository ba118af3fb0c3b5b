"""Decides about the tokens of one request.

Nearly every request shows a token that was in order before, in the one place where one may be:
it is looked up, and that is all.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

from actions.jwt_validation.asked import Asked
from actions.jwt_validation.presented import (
    MAX_BODY,
    BodyFields,
    TokenPlace,
    body_fields,
    has_body,
    token_in_body,
    token_in_header,
)
from actions.jwt_validation.refusals import Refused
from actions.jwt_validation.result import Result, TokenResult
from actions.jwt_validation.verification import Refusal, Verdict, Verifying, mark_of, recall, verify
from policy.action import ActionError, Continue, Exchange, Outcome, Respond, Steps
from policy.effect import Effect, ReadBody
from policy.exchange import Check, Request

NOTHING_SHOWN: Final[Continue[Result]] = Continue()


class Prepared:
    """What a request is decided by: all that is asked of its tokens, and whether it ends for one.

    With `enforce` false it goes on whatever was found.
    """

    __slots__ = ("asked", "enforce")

    def __init__(self, asked: Asked, *, enforce: bool) -> None:
        self.asked = asked
        self.enforce = enforce


def decide(prepared: Prepared, exchange: Exchange) -> Outcome[Result] | Steps[Result]:
    """Check the tokens of one request; a generator where effects may be needed for it."""
    request = exchange.request
    if request is None:
        return NOTHING_SHOWN
    asked = prepared.asked
    place = asked.in_one_field
    if place is None:
        return _check_places(prepared, asked, request, exchange)
    verdict = _check_field(asked, place, request, exchange)
    if isinstance(verdict, Continue):
        return _passed(verdict, asked, request)
    if isinstance(verdict, Refusal):
        return _refuse(prepared, exchange, place, [], verdict)
    return _check_waiting(prepared, asked, request, exchange, verdict)


def _passed(outcome: Outcome[Result], asked: Asked, request: Request) -> Outcome[Result]:
    """Let a request pass, without its tokens where the upstream does not get them."""
    if asked.withheld:
        request.withheld |= asked.withheld
    return outcome


def _check_field(
    asked: Asked, place: TokenPlace, request: Request, exchange: Exchange
) -> Verdict | Verifying:
    """Check the token in a header field."""
    looked_up, mark = None, None
    values = request.headers.by_name.get(place.name)
    # Whoever wants to know what was looked at gets everything looked at anew.
    if values is not None and len(values) == 1 and exchange.checks is None:
        # As it stands there, it is nearly always known.
        looked_up = values[0]
        mark = mark_of(place, looked_up)
        accepted = recall(asked.verifier, mark, exchange.surroundings)
        if accepted is not None:
            return accepted
    found = token_in_header(place, request.headers)
    if isinstance(found, Refused):
        return Refusal(found)
    if mark is not None and place.prefix + found == looked_up:
        return verify(asked.verifier, place, found, mark, exchange)
    return _check_found(asked, place, found, exchange)


def _check_body(
    asked: Asked, place: TokenPlace, fields: BodyFields, exchange: Exchange
) -> Verdict | Verifying:
    """Check the token in a field of the body."""
    found = token_in_body(place, fields)
    if isinstance(found, Refused):
        return Refusal(found)
    return _check_found(asked, place, found, exchange)


def _check_found(
    asked: Asked, place: TokenPlace, token: str, exchange: Exchange
) -> Verdict | Verifying:
    """Check a token that was taken out of its place."""
    mark = mark_of(place, place.prefix + token)
    if exchange.checks is None:
        accepted = recall(asked.verifier, mark, exchange.surroundings)
        if accepted is not None:
            return accepted
    return verify(asked.verifier, place, token, mark, exchange)


def _check_waiting(
    prepared: Prepared,
    asked: Asked,
    request: Request,
    exchange: Exchange,
    verifying: Verifying,
) -> Steps[Result]:
    """Go on with a token, shown in one field, that keys have to be asked for."""
    verdict = yield from verifying
    if isinstance(verdict, Refusal):
        place = asked.places[0]
        return _refuse(prepared, exchange, place, [], verdict)
    return _passed(verdict, asked, request)


def _check_places(
    prepared: Prepared, asked: Asked, request: Request, exchange: Exchange
) -> Steps[Result]:
    """Check the tokens in all places, or in the body; yields effects for keys and for the body."""
    accepted: Outcome[Result] = NOTHING_SHOWN
    tokens: list[TokenResult] = []
    fields: BodyFields | None = None
    for place in asked.places:
        if place.in_header:
            found = _check_field(asked, place, request, exchange)
        else:
            read = fields if fields is not None else (yield from _read_fields(request))
            if isinstance(read, Refused):
                return _refuse(prepared, exchange, place, tokens, Refusal(read))
            fields = read
            found = _check_body(asked, place, fields, exchange)
        verdict = found if isinstance(found, Continue | Refusal) else (yield from found)
        if isinstance(verdict, Refusal):
            return _refuse(prepared, exchange, place, tokens, verdict)
        accepted = verdict
        if len(asked.places) > 1 and verdict.result is not None:
            tokens += verdict.result.tokens
            if verdict.admitted_until_ns is not None:
                exchange.admit_until(verdict.admitted_until_ns)
    return _passed(Continue(Result(tokens=tokens)) if tokens else accepted, asked, request)


def _read_fields(request: Request) -> Generator[Effect, Any, BodyFields | Refused]:
    """Read the fields of the body, where a body may be."""
    refused = has_body(request)
    if refused is not None:
        return refused
    body: bytes | None = yield ReadBody(limit_bytes=MAX_BODY)
    return body_fields(request, body)


def _refuse(
    prepared: Prepared,
    exchange: Exchange,
    place: TokenPlace,
    tokens: list[TokenResult],
    refusal: Refusal,
) -> Outcome[Result]:
    """End the request, or only record what was found."""
    refused, token = refusal.refused, refusal.token
    if exchange.checks is not None:
        where = f"{place.location} {place.written_name!r}: {refused.message}"
        exchange.checks.append(Check(subject="token", passed=False, detail=where))
    if token is not None:
        tokens.append(token)
    result = Result(
        tokens=tokens,
        error=ActionError(code=refused.error_code, message=refused.message),
    )
    if not prepared.enforce:
        return Continue(result)
    return Respond(
        status_code=refused.status_code,
        reason=refused.reason,
        headers=refused.headers,
        error_code=refused.error_code,
        result=result,
    )
