"""Paths that actions answer by themselves, such as a login's (language spec, section 5.13).

They work on every endpoint whose policy has such an action, even where no rule would lead to it:
a browser that comes back from a login must not depend on how rules are written.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from policy.action import Outcome, Respond
from policy.compiled import CompiledRule, OwnPath, Policy
from policy.config import InterpolationError
from policy.effect import Effect
from policy.exchange import Exchange
from policy.variables import activation

AUTH_ID: Final = "auth_id"
NO_SUCH_LOGIN: Final[Respond[Any]] = Respond(status_code=404, reason="unknown-auth-id")
INTERPOLATION_FAILED: Final = "interpolation-failed"


def own_paths(policy: Policy, exchange: Exchange) -> Sequence[OwnPath] | None:
    """Return who may answer a request by itself; None where that is for the rules alone."""
    request = exchange.request
    if request is None or request.url.path not in policy.own_paths:
        return None
    return meant_by(policy.own_paths[request.url.path], request.url.query_params.get(AUTH_ID))


def meant_by(found: Sequence[OwnPath], named: list[str] | None) -> Sequence[OwnPath]:
    """Return whom a request can be for: the one that it names, else the nameless one first."""
    if named is None:
        return sorted(found, key=lambda own: own.auth_id is not None)
    if len(named) != 1:
        return ()
    return [own for own in found if own.auth_id == named[0]]


def serve_own_path(
    meant: Sequence[OwnPath], exchange: Exchange
) -> Generator[Effect, Any, tuple[Respond[Any], str | None]]:
    """Answer such a request: the first that has an answer gives it. Tells the action's name too."""
    for number, own in enumerate(meant, 1):
        outcome = yield from _served(own, exchange, is_last=number == len(meant))
        if isinstance(outcome, Respond):
            return outcome, own.step.action.name
    return NO_SUCH_LOGIN, None


def _served(
    own: OwnPath, exchange: Exchange, *, is_last: bool
) -> Generator[Effect, Any, Outcome[Any]]:
    config = own.step.config.static
    if config is None:
        try:
            config = own.step.config.resolve(
                exchange.computed or activation(exchange),
                lambda failed: exchange.warnings.append(str(failed)),
            )
        except InterpolationError as error:
            return Respond(status_code=500, reason=INTERPOLATION_FAILED, error_code=error.reference)
    outcome: Outcome[Any] = yield from own.site.serve(config, exchange, is_last)
    return outcome


def replacing_rules(rules: Iterable[CompiledRule]) -> Iterator[CompiledRule]:
    """Return the rules that may answer in place of a default: those written for such a path.

    A rule without expressions is written for everything, and one with a login would begin one.
    """
    for rule in rules:
        if rule.conditions and not any(step.action.site is not None for step in rule.actions):
            yield rule


def replacement(served: Respond[Any], outcome: Outcome[Any]) -> Outcome[Any] | None:
    """Return what to answer in place of a default; None if a rule has no answer of its own.

    A rule may send the browser elsewhere. What denies, or fails, was written for who is logged
    in: it would refuse everybody who has just logged out.
    """
    if not isinstance(outcome, Respond) or not outcome.runs_response_phase:
        return None
    cookies = tuple(line for line in served.headers if line[0] == "set-cookie")
    return replace(outcome, headers=(*outcome.headers, *cookies))
