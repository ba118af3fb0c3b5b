"""A compiled expression, and the way from its text to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from policy.cel.check import check_expression
from policy.cel.compile import compile_part, compile_tree
from policy.cel.environment import Environment
from policy.cel.explain import SubValue, explain_tree
from policy.cel.finding import ExpressionError, Finding
from policy.cel.lint import lint_tree
from policy.cel.parse import parse_expression
from policy.cel.program import Part
from policy.cel.secret_references import missing_secrets
from policy.cel.typed import TypedNode
from policy.cel.types import BOOL, CelType
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
    tree, findings = _checked(text, environment, expect)
    evaluate, more = compile_tree(tree, text, environment.limits, expect)
    return _expression(text, environment, tree, evaluate, findings + more)


def compile_condition(text: str, environment: Environment) -> tuple[Expression, Part]:
    """Compile an expression that must be a bool, to stand in a function with others.

    The part is for `compile_first_match`, and then to be forgotten: it is large. A function of
    its own is made when somebody calls it, which the traffic does not. Raises ExpressionError.
    """
    tree, findings = _checked(text, environment, BOOL)
    part, more = compile_part(tree, text, environment.limits)
    evaluate = _Late(text, environment)
    return _expression(text, environment, tree, evaluate, findings + more), part


class _Late:
    """The function of a condition that is already known to be right, compiled when called."""

    __slots__ = ("_environment", "_evaluate", "_text")

    def __init__(self, text: str, environment: Environment) -> None:
        self._text = text
        self._environment = environment
        self._evaluate: Callable[[Any], Any] | None = None

    def __call__(self, activation: Any) -> Any:
        if self._evaluate is None:
            limits = self._environment.limits
            tree, _ = parse_expression(self._text, limits)
            checked, _ = check_expression(tree, self._environment, BOOL)
            self._evaluate, _ = compile_tree(checked, self._text, limits, BOOL)
        return self._evaluate(activation)


def _checked(
    text: str, environment: Environment, expect: CelType | None
) -> tuple[TypedNode, list[Finding]]:
    tree, findings = parse_expression(text, environment.limits)
    checked, more = check_expression(tree, environment, expect)
    findings += more
    if environment.known_secret is not None:
        findings += missing_secrets(tree, environment.known_secret)
    _refuse_errors(findings)
    return checked, findings + list(lint_tree(checked, text, expect))


def _expression(
    text: str,
    environment: Environment,
    tree: TypedNode,
    evaluate: Callable[[Any], Any],
    findings: list[Finding],
) -> Expression:
    _refuse_errors(findings)
    return Expression(
        text=text,
        type=tree.type,
        evaluate=evaluate,
        warnings=tuple(findings),
        environment=environment,
    )


def _refuse_errors(findings: list[Finding]) -> None:
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise ExpressionError(findings)
