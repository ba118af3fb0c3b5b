"""Runs the rules of one phase over one exchange, in order, and says what was decided and by whom.

Order and termination follow the language spec, sections 1.3 and 2.3. An expression or an
interpolation that fails ends the request: nothing is ever let through because a check broke.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from policy.action import Close, Outcome, Respond, Steps
from policy.cel import RuleError
from policy.compiled import CompiledAction, CompiledRule, OwnPath, Policy, RuleSequence
from policy.config import InterpolationError
from policy.continuation import Continue
from policy.effect import Effect
from policy.exchange import Exchange
from policy.forwarding import strip_owned
from policy.own_cookies import take_cookies
from policy.own_paths import own_paths, replacement, replacing_rules, serve_own_path
from policy.phase import Phase
from policy.trace import Trace, action_trace
from policy.variables import activation

# A name of its own: looking a member up in its class is slow.
ON_HTTP_REQUEST = Phase.ON_HTTP_REQUEST

EXPRESSION_FAILED = "expression-failed"
INTERPOLATION_FAILED = "interpolation-failed"
EXPRESSION_REFERENCE = "ERR_NGROK_2254"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How a phase ended; `rule` and `action` are None when it ran through to its end."""

    outcome: Outcome[Any]
    phase: Phase
    rule: CompiledRule | None = None
    action: str | None = None

    @property
    def reason(self) -> str | None:
        """The stable code of what was decided; None when the request just goes on."""
        return None if isinstance(self.outcome, Continue) else self.outcome.reason


# An action that has decided; one that has not is a generator of its effects.
DECIDED = (Continue, Respond, Close)

Phases: TypeAlias = Generator[Effect, Any, Decision]

GO_ON = {phase: Decision(outcome=Continue(), phase=phase) for phase in Phase}


def begin_request(policy: Policy, exchange: Exchange) -> None:
    """Remove what the client may not say (T-HD-1): names that the policy owns, in any spelling.

    Cookies of our own are set apart, for the actions that have set them (T-CK-1).
    """
    if exchange.request is not None:
        strip_owned(exchange.request, policy.owned_headers)
        if policy.own_cookies:
            exchange.own_cookies = take_cookies(exchange.request.headers, policy.own_cookies)
        exchange.changed()


def run_phase(
    policy: Policy, phase: Phase, exchange: Exchange, trace: Trace | None = None
) -> Phases:
    """Run the rules of one phase; yields effects and returns the decision."""
    begun = begin_phase(policy, phase, exchange, trace)
    return begun if isinstance(begun, Decision) else (yield from begun)


def begin_phase(
    policy: Policy, phase: Phase, exchange: Exchange, trace: Trace | None = None
) -> Decision | Phases:
    """Run the rules of one phase up to its decision, or up to the first effect.

    Nearly every phase decides without any effect, and so needs no generator. Where one is
    returned, it yields effects, the first among them, and returns the decision.
    """
    exchange.phase = phase
    exchange.vars = {}
    sequence = policy.sequences.get(phase)
    if sequence is None:
        return GO_ON[phase]
    if policy.own_paths and phase is ON_HTTP_REQUEST:
        own = own_paths(policy, exchange)
        if own is not None:
            return _own_path(own, sequence.rules, exchange, trace)
    return _rules(sequence, 0, exchange, trace)


def _own_path(
    own: Sequence[OwnPath], rules: Sequence[CompiledRule], exchange: Exchange, trace: Trace | None
) -> Phases:
    """Let actions answer on a path of their own; some answers give way to a rule's."""
    phase = exchange.phase
    if trace is not None:
        exchange.checks = []
    served, action = yield from serve_own_path(own, exchange)
    if trace is not None:
        trace.own_path = action_trace(action or "", served, exchange.checks or ())
    ours = Decision(outcome=served, phase=phase, action=action)
    if not served.rules_may_replace:
        return ours
    for rule in replacing_rules(rules):
        begun = _rules(RuleSequence((rule,)), 0, exchange, trace)
        decided = begun if isinstance(begun, Decision) else (yield from begun)
        outcome = replacement(served, decided.outcome)
        if outcome is not None:
            return Decision(outcome=outcome, phase=phase, rule=decided.rule, action=decided.action)
    return ours


def _rules(
    sequence: RuleSequence, position: int, exchange: Exchange, trace: Trace | None
) -> Decision | Phases:
    """Run the rules of a phase from a position on."""
    rules = sequence.rules
    count = len(rules)
    while position < count:
        try:
            if trace is None:
                position = sequence.next_match(position, exchange)
            else:
                position = trace.next_match(rules, position, exchange)
        except RuleError as failed:
            broken = failure(exchange.phase, EXPRESSION_FAILED, EXPRESSION_REFERENCE)
            return Decision(outcome=broken, phase=exchange.phase, rule=rules[failed.position])
        if position < count:
            decided = _actions(sequence, position, 0, exchange, trace)
            if decided is not None:
                return decided
            position += 1
    return GO_ON[exchange.phase]


def _actions(
    sequence: RuleSequence, position: int, at: int, exchange: Exchange, trace: Trace | None
) -> Decision | Phases | None:
    """Run the actions of a rule from one on; None when the next rule is to be looked at."""
    rule = sequence.rules[position]
    actions = rule.actions
    while at < len(actions):
        step = actions[at]
        at += 1
        begun = started(step, exchange, trace)
        if not isinstance(begun, DECIDED):
            return _resumed(begun, step, _Next(sequence, position, at), exchange, trace)
        decided = _decided(begun, step, rule, exchange, trace)
        if decided is not None:
            return decided
    return None


class _Next(NamedTuple):
    """Where a phase goes on: at one of the actions of the rule at a position, or behind them."""

    sequence: RuleSequence
    position: int
    at: int


def _resumed(
    waiting: Steps[Any],
    step: CompiledAction,
    follows: _Next,
    exchange: Exchange,
    trace: Trace | None,
) -> Phases:
    """Let an action have its effects, then run what is left of its rule and its phase."""
    outcome = yield from waiting
    sequence, position, at = follows
    rule = sequence.rules[position]
    decided: Decision | Phases | None = _decided(outcome, step, rule, exchange, trace)
    if decided is None:
        decided = _actions(sequence, position, at, exchange, trace)
    if decided is None:
        decided = _rules(sequence, position + 1, exchange, trace)
    return decided if isinstance(decided, Decision) else (yield from decided)


def _decided(
    outcome: Outcome[Any],
    step: CompiledAction,
    rule: CompiledRule,
    exchange: Exchange,
    trace: Trace | None,
) -> Decision | None:
    """Keep what an action has left; None when it lets the phase go on."""
    if outcome.result is not None:
        exchange.keep_result(step.namespace, outcome.result)
    if trace is not None:
        trace.action(step.action, outcome, exchange.checks or ())
    if not isinstance(outcome, Continue):
        return Decision(outcome=outcome, phase=exchange.phase, rule=rule, action=step.action.name)
    if outcome.admitted_until_ns is not None:
        exchange.admit_until(outcome.admitted_until_ns)
    return None


def started(
    step: CompiledAction, exchange: Exchange, trace: Trace | None
) -> Outcome[Any] | Steps[Any]:
    """Start one action with its configuration for this exchange."""
    if trace is not None:
        exchange.checks = []
    prepared = step.static
    if prepared is None:
        try:
            config = step.config.resolve(
                exchange.computed or activation(exchange),
                lambda failed: exchange.warnings.append(str(failed)),
            )
        except InterpolationError as error:
            if trace is not None:
                trace.failed(str(error))
            return failure(exchange.phase, INTERPOLATION_FAILED, error.reference)
        prepared = step.action.prepare(config)
    return step.run(prepared, exchange)


def failure(phase: Phase, reason: str, error_code: str) -> Outcome[Any]:
    """Refuse after a broken check (language spec, section 2.3): 500, or a closed connection."""
    if phase is Phase.ON_TCP_CONNECT:
        return Close(reason=reason, error_code=error_code)
    return Respond(status_code=500, reason=reason, error_code=error_code)
