"""The function under construction: its constants, and what it needs while it runs."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from policy.cel import emit
from policy.cel.finding import Finding
from policy.cel.limits import Limits
from policy.cel.logic import require_bool
from policy.cel.typed import TypedNode
from policy.cel.types import BOOL
from policy.cel.values import CelError
from policy.cel.work import Work

ACTIVATION: Final = "activation"
WORK: Final = "work"
# Kinds that a code object holds itself; frozen sets of strings too.
_SELF_HELD: Final = (bool, int, float, str, bytes, type(None))

_HANDLERS: Final = [emit.passed_on("CelError"), emit.converted("Exception", "unexpected")]


@dataclass(frozen=True, slots=True)
class Code:
    """Python for one node, and whether it can fail with an error that `&&` or `||` may absorb.

    An exceeded limit is no such error: it ends the evaluation wherever it happens.
    """

    expr: ast.expr
    raises: bool


@dataclass(slots=True)
class Program:
    """One function under construction.

    `accounted` when its parts charge the work budget for the sizes of what they work on; a
    program without loops, and with few enough parts, can't exceed the budget anyway. `text` is
    what the author wrote.
    """

    limits: Limits
    visit: Callable[[TypedNode, Program], Code]
    accounted: bool
    text: str
    names: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    uses_work: bool = False

    def code(self, node: TypedNode) -> Code:
        """Compile one node."""
        return self.visit(node, self)

    def use(self, function: Callable[..., Any]) -> ast.expr:
        """Refer to one of our own functions by its name."""
        name = function.__name__
        self.names[name] = function
        return emit.name(name)

    def constant(self, value: object) -> ast.expr:
        """Refer to a value that is known now."""
        if type(value) in _SELF_HELD or (
            type(value) is frozenset and all(type(item) in (str, int) for item in value)
        ):
            return emit.constant(value)
        name = f"constant_{len(self.names)}"
        self.names[name] = value
        return emit.name(name)

    def work(self) -> ast.expr:
        """Refer to the work budget of the evaluation."""
        self.uses_work = True
        return emit.name(WORK)

    def charged(self, expr: ast.expr, cost: int) -> ast.expr:
        """Charge a value for its size: `cost` units of work for each 1,024 elements."""
        if not self.accounted or cost == 0 or isinstance(expr, ast.Constant):
            return expr
        return emit.method(self.work(), "sized", expr, emit.constant(cost))

    def condition(self, node: TypedNode) -> Code:
        """Compile a node whose value must be a bool, whatever its static type."""
        code = self.code(node)
        if node.type == BOOL:
            return code
        return Code(emit.call(self.use(require_bool), code.expr), raises=True)

    def finish(self, result: ast.expr) -> Callable[[Any], Any]:
        """Return the finished function of an activation; it raises CelError only."""
        body: list[ast.stmt] = []
        if self.uses_work:
            self.names["Work"] = Work
            budget = emit.call("Work", self.constant(self.limits))
            body.append(emit.assignment(WORK, budget))
        body.append(emit.returned(result))
        self.names["CelError"] = CelError
        self.names["unexpected"] = unexpected
        module = emit.module("expression", ACTIVATION, body, _HANDLERS)
        exec(compile(module, "<expression>", "exec"), self.names)  # noqa: S102 (our own tree)
        made: Callable[[Any], Any] = self.names.pop("expression")
        return made


def unexpected(cause: Exception) -> CelError:
    """Return the error for a failure that no operator or function foresaw: fail closed."""
    return CelError("expression-failed", f"the expression failed: {type(cause).__name__}")
