"""The expression language: CEL, parsed, checked against declared names, compiled to Python."""

from __future__ import annotations

from policy.cel import types
from policy.cel.declarations import Function, InvalidConstantError, Message, Overload, Variable
from policy.cel.environment import Environment
from policy.cel.explain import SubValue
from policy.cel.expression import Expression, compile_expression
from policy.cel.finding import ExpressionError, Finding
from policy.cel.functions import STANDARD_FUNCTIONS
from policy.cel.limits import Limits
from policy.cel.values import CelError, Duration, FieldMap, Timestamp, TypeValue, Uint

__all__ = [
    "STANDARD_FUNCTIONS", "CelError", "Duration", "Environment", "Expression", "ExpressionError",
    "FieldMap", "Finding", "Function", "InvalidConstantError", "Limits", "Message", "Overload",
    "SubValue", "Timestamp", "TypeValue", "Uint", "Variable", "compile_expression", "types",
]  # fmt: skip
