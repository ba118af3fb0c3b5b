"""The function under construction: its constants, and what it needs while it runs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
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
WHOLE: Final = ""
WORK: Final = "work"
REST: Final = "rest"
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


@dataclass(frozen=True, slots=True)
class Part:
    """A condition as a tree that may stand in a function with others.

    `names` is what it refers to, but for the activation; `paths` are the dotted paths of the
    activation that give the same value for as long as no action runs. `reads` are the attributes
    of the activation that it begins at, WHOLE among them where it hands it on.
    """

    tree: ast.expr
    names: dict[str, Any]
    paths: frozenset[str]
    reads: frozenset[str]


@dataclass(slots=True)
class Program:
    """One function under construction.

    `accounted` when its parts charge the work budget for the sizes of what they work on; a
    program without loops, and with few enough parts, can't exceed the budget anyway. `text` is
    what the author wrote. `paths` are those of the activation that it reads, but for what is
    fresh at each read.
    """

    limits: Limits
    visit: Callable[[TypedNode, Program], Code]
    accounted: bool
    text: str
    names: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    uses_work: bool = False
    has_functions: bool = False

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

    def thunk(self, code: Code) -> ast.expr:
        """Put a part off until it is asked for."""
        self.has_functions = True
        return emit.thunk(code.expr)

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
        module = emit.module("expression", (ACTIVATION,), body, _HANDLERS)
        exec(compile(module, "<expression>", "exec"), self.names)  # noqa: S102 (our own tree)
        made: Callable[[Any], Any] = self.names.pop("expression")
        return made

    def part(self, result: ast.expr) -> Part:
        """Return a condition as a part of a larger function.

        What has functions of its own, or a work budget, stays a function. Most such conditions
        begin with plain ones, which miss: `req.method == 'POST' && list.exists(...)`.
        """
        paths, reads = frozenset(self.paths), frozenset(_reads(result))
        if not self.uses_work and not self.has_functions:
            return Part(result, self.names, paths, reads)
        called = emit.call(REST, emit.name(ACTIVATION))
        operands = emit.conjuncts(result)
        guards = list(takewhile(_is_plain, operands))
        rest = self.finish(emit.all_of(operands[len(guards) :]))
        return Part(emit.all_of([*guards, called]), {**self.names, REST: rest}, paths, reads)


def _is_plain(tree: ast.expr) -> bool:
    """Tell whether a tree has neither functions of its own nor a work budget."""
    return not any(
        isinstance(node, ast.Lambda | ast.GeneratorExp | ast.ListComp)
        or (isinstance(node, ast.Name) and node.id == WORK)
        for node in ast.walk(tree)
    )


def _reads(tree: ast.AST) -> Iterator[str]:
    """Find what a tree reads of the activation."""
    if isinstance(tree, ast.Name):
        if tree.id == ACTIVATION:
            yield WHOLE
    elif isinstance(tree, ast.Attribute) and isinstance(tree.value, ast.Name):
        if tree.value.id == ACTIVATION:
            yield tree.attr
    else:
        for each in ast.iter_child_nodes(tree):
            yield from _reads(each)


def unexpected(cause: Exception) -> CelError:
    """Return the error for a failure that no operator or function foresaw: fail closed."""
    return CelError("expression-failed", f"the expression failed: {type(cause).__name__}")
