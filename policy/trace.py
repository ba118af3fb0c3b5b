"""A full record of what a policy did with one exchange: every rule, expression and action.

Only made when somebody asks (`penstock eval --explain`, policy tests); the engine runs the same
code without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from policy.action import Action, Close, Continue, Outcome, Respond
from policy.cel import CelError, Expression, RuleError, SubValue
from policy.compiled import CompiledRule
from policy.exchange import Check, Exchange
from policy.phase import Phase
from policy.variables import activation


@dataclass(slots=True, kw_only=True)
class ExpressionTrace:
    """One evaluated expression. `value` is None and `error` set when it failed.

    `parts` are its sub-expressions with their own values, as in the source, left to right.
    """

    text: str
    value: object = None
    error: str | None = None
    parts: tuple[SubValue, ...] = ()


@dataclass(slots=True, kw_only=True)
class ActionTrace:
    """One action that ran, what it decided, and its result.

    `error` says which interpolated part could not be used, when that is why it did not run.
    `checks` are what the action looked at, as far as it tells.
    """

    type: str
    outcome: str
    reason: str | None = None
    status_code: int | None = None
    result: object = None
    error: str | None = None
    checks: tuple[Check, ...] = ()


@dataclass(slots=True, kw_only=True)
class RuleTrace:
    """One rule that was reached. Expressions after the first false one were not evaluated."""

    phase: Phase
    index: int
    name: str | None
    matched: bool = False
    expressions: list[ExpressionTrace] = field(default_factory=list)
    skipped_expressions: tuple[str, ...] = ()
    actions: list[ActionTrace] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Trace:
    """All rules in the order in which they were reached.

    `own_path` is the action that answered by itself, before any rule.
    """

    rules: list[RuleTrace] = field(default_factory=list)
    own_path: ActionTrace | None = None
    _error: str | None = None

    def next_match(self, rules: Sequence[CompiledRule], position: int, exchange: Exchange) -> int:
        """Find the next rule that matches, as the engine does, keeping every value on the way."""
        for at in range(position, len(rules)):
            try:
                if self.conditions(rules[at], exchange):
                    return at
            except CelError as error:
                raise RuleError(at, error) from error
        return len(rules)

    def conditions(self, rule: CompiledRule, exchange: Exchange) -> bool:
        """Evaluate a rule's conditions, each until one does not hold."""
        record = RuleTrace(phase=exchange.phase, index=rule.index, name=rule.name)
        self.rules.append(record)
        for position, condition in enumerate(rule.conditions):
            record.skipped_expressions = tuple(c.text for c in rule.conditions[position + 1 :])
            if not self.condition(record, condition, exchange):
                return False
        record.matched = True
        return True

    def condition(self, record: RuleTrace, condition: Expression, exchange: Exchange) -> bool:
        """Evaluate one expression with all its sub-values; raises CelError as it does."""
        variables = exchange.computed or activation(exchange)
        step = ExpressionTrace(text=condition.text, parts=condition.explain(variables))
        record.expressions.append(step)
        try:
            step.value = condition.evaluate(variables)
        except CelError as error:
            step.error = error.message
            raise
        return bool(step.value)

    def failed(self, error: str) -> None:
        """Keep why the action that is recorded next could not run."""
        self._error = error

    def action(
        self, action: Action[Any], outcome: Outcome[Any], checks: Iterable[Check] = ()
    ) -> None:
        """Record what an action of the rule reached last looked at, and what it decided."""
        record = action_trace(action.name, outcome, checks)
        record.error, self._error = self._error, None
        self.rules[-1].actions.append(record)


def action_trace(name: str, outcome: Outcome[Any], checks: Iterable[Check]) -> ActionTrace:
    """Make the record of an action that ran."""
    record = ActionTrace(type=name, outcome="continue", result=outcome.result, checks=tuple(checks))
    match outcome:
        case Respond():
            record.outcome = "respond"
            record.reason = outcome.reason
            record.status_code = outcome.status_code
        case Close():
            record.outcome = "close"
            record.reason = outcome.reason
        case Continue():
            pass
    return record
