"""Runs the rules of one phase over one exchange, in order, and says what was decided and by whom.

Order and termination follow the language spec, sections 1.3 and 2.3. An expression or an
interpolation that fails ends the request: nothing is ever let through because a check broke.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeAlias

from policy.action import Close, Continue, Outcome, Respond, Steps
from policy.cel import CelError
from policy.compiled import CompiledAction, CompiledRule, Policy
from policy.config import InterpolationError
from policy.effect import Effect
from policy.exchange import Exchange
from policy.forwarding import strip_owned
from policy.phase import Phase
from policy.trace import Trace
from policy.variables import activation

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
    """Remove what the client may not say (T-HD-1): names that the policy owns, in any spelling."""
    if exchange.request is not None:
        strip_owned(exchange.request, policy.owned_headers)
        exchange.changed()


def run_phase(
    policy: Policy, phase: Phase, exchange: Exchange, trace: Trace | None = None
) -> Phases:
    """Run the rules of one phase; yields effects and returns the decision.

    Without effects the generator ends at its first step, so a caller needs no task for it.
    """
    exchange.phase = phase
    exchange.vars = {}
    for rule in policy.rules.get(phase, ()):
        try:
            if trace is not None:
                matched = trace.conditions(rule, exchange)
            elif rule.matches is not None:
                matched = rule.matches(exchange.computed or activation(exchange))
            else:
                matched = True
        except CelError:
            broken = failure(phase, EXPRESSION_FAILED, EXPRESSION_REFERENCE)
            return Decision(outcome=broken, phase=phase, rule=rule)
        if not matched:
            continue
        for step in rule.actions:
            begun = started(step, exchange, trace)
            outcome = begun if isinstance(begun, DECIDED) else (yield from begun)
            if outcome.result is not None:
                exchange.keep_result(step.namespace, outcome.result)
            if trace is not None:
                trace.action(step.action, outcome, exchange.checks or ())
            if not isinstance(outcome, Continue):
                return Decision(outcome=outcome, phase=phase, rule=rule, action=step.action.name)
            if outcome.admitted_until_ns is not None:
                exchange.admit_until(outcome.admitted_until_ns)
    return GO_ON[phase]


def started(
    step: CompiledAction, exchange: Exchange, trace: Trace | None
) -> Outcome[Any] | Steps[Any]:
    """Start one action with its configuration for this exchange."""
    if trace is not None:
        exchange.checks = []
    config = step.config.static
    if config is None:
        try:
            config = step.config.resolve(
                exchange.computed or activation(exchange),
                lambda failed: exchange.warnings.append(str(failed)),
            )
        except InterpolationError as error:
            if trace is not None:
                trace.failed(str(error))
            return failure(exchange.phase, INTERPOLATION_FAILED, error.reference)
    return step.run(config, exchange)


def failure(phase: Phase, reason: str, error_code: str) -> Outcome[Any]:
    """Refuse after a broken check (language spec, section 2.3): 500, or a closed connection."""
    if phase is Phase.ON_TCP_CONNECT:
        return Close(reason=reason, error_code=error_code)
    return Respond(status_code=500, reason=reason, error_code=error_code)
