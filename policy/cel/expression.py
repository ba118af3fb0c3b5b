"""A compiled expression, and the way from its text to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from policy.cel.check import check_expression
from policy.cel.compile import compile_tree
from policy.cel.environment import Environment
from policy.cel.explain import SubValue, explain_tree
from policy.cel.finding import ExpressionError, Finding
from policy.cel.lint import lint_tree
from policy.cel.parse import parse_expression
from policy.cel.secret_references import missing_secrets
from policy.cel.types import CelType
from policy.problem import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """An expression that is ready to run.

    `evaluate` takes an activation, an object with the attributes of the environment's variables,
    and returns the value. It raises CelError and nothing else.
    """

    text: str
    type: CelType
    evaluate: Callable[[Any], Any]
    warnings: tuple[Finding, ...]
    environment: Environment

    def explain(self, activation: Any) -> tuple[SubValue, ...]:
        """Evaluate every part on its own, outermost first; for a person who asks why."""
        tree, _ = parse_expression(self.text, self.environment.limits)
        checked, _ = check_expression(tree, self.environment, None)
        return explain_tree(checked, self.text, self.environment.limits, activation)


def compile_expression(
    text: str, environment: Environment, *, expect: CelType | None = None
) -> Expression:
    """Parse, check and compile one expression whose value must be of type `expect`.

    Raises ExpressionError with every finding when any of them is an error.
    """
    tree, findings = parse_expression(text, environment.limits)
    checked, more = check_expression(tree, environment, expect)
    findings += more
    if environment.known_secret is not None:
        findings += missing_secrets(tree, environment.known_secret)
    _refuse_errors(findings)
    findings += lint_tree(checked, text, expect)
    evaluate, more = compile_tree(checked, text, environment.limits, expect)
    findings += more
    _refuse_errors(findings)
    return Expression(
        text=text,
        type=checked.type,
        evaluate=evaluate,
        warnings=tuple(findings),
        environment=environment,
    )


def _refuse_errors(findings: list[Finding]) -> None:
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise ExpressionError(findings)
