"""The expression language: CEL, parsed, checked against declared names, compiled to Python."""

from __future__ import annotations

from policy.cel import types
from policy.cel.declarations import Function, InvalidConstantError, Message, Overload, Variable
from policy.cel.environment import Environment
from policy.cel.explain import SubValue
from policy.cel.expression import Expression, compile_condition, compile_expression
from policy.cel.finding import ExpressionError, Finding
from policy.cel.first_match import RuleError, RuleParts, compile_first_match
from policy.cel.functions import STANDARD_FUNCTIONS
from policy.cel.limits import Limits
from policy.cel.program import Part
from policy.cel.values import CelError, Duration, FieldMap, Timestamp, TypeValue, Uint

__all__ = [
    "STANDARD_FUNCTIONS", "CelError", "Duration", "Environment", "Expression", "ExpressionError",
    "FieldMap", "Finding", "Function", "InvalidConstantError", "Limits", "Message", "Overload",
    "Part", "RuleError", "RuleParts", "SubValue", "Timestamp", "TypeValue", "Uint", "Variable",
    "compile_condition", "compile_expression", "compile_first_match", "types",
]  # fmt: skip
