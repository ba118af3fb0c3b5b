"""Small pieces of Python syntax trees, from which compiled expressions are put together.

Each node gets a position of its own at once: to fill positions in afterwards takes longer than
all the rest of the compilation.
"""

from __future__ import annotations

import ast
from typing import Any, Final

_AT: Final[dict[str, Any]] = {"lineno": 1, "col_offset": 0}
_LOAD: Final = ast.Load()
_STORE: Final = ast.Store()
_BINARY: Final[dict[str, ast.operator]] = {"+": ast.Add(), "-": ast.Sub(), "*": ast.Mult()}
_UNARY: Final[dict[str, ast.unaryop]] = {"!": ast.Not(), "-": ast.USub()}
_COMPARE: Final[dict[str, ast.cmpop]] = {
    "==": ast.Eq(),
    "!=": ast.NotEq(),
    "<": ast.Lt(),
    "<=": ast.LtE(),
    ">": ast.Gt(),
    ">=": ast.GtE(),
    "in": ast.In(),
    "is": ast.Is(),
    "is not": ast.IsNot(),
}
_LOGIC: Final[dict[str, ast.boolop]] = {"&&": ast.And(), "||": ast.Or()}


def name(identifier: str) -> ast.expr:
    """Read a name."""
    return ast.Name(identifier, _LOAD, **_AT)


def constant(value: Any) -> ast.expr:
    """Write a value that the code object can hold itself."""
    return ast.Constant(value, **_AT)


def attribute(owner: ast.expr, field: str) -> ast.expr:
    """Read `owner.field`."""
    return ast.Attribute(owner, field, _LOAD, **_AT)


def path(owner: ast.expr, fields: str) -> ast.expr:
    """Read `owner.fields`, a dotted path."""
    for field in fields.split("."):
        owner = attribute(owner, field)
    return owner


def call(function: ast.expr | str, *arguments: ast.expr) -> ast.expr:
    """Call a function, or the function of a name."""
    target = name(function) if isinstance(function, str) else function
    return ast.Call(target, list(arguments), [], **_AT)


def method(target: ast.expr, method_name: str, *arguments: ast.expr) -> ast.expr:
    """Call `target.method_name(...)`."""
    return call(attribute(target, method_name), *arguments)


def lowered(text: ast.expr) -> ast.expr:
    """Write a text in lower case, at once where it is a constant."""
    if isinstance(text, ast.Constant) and isinstance(text.value, str):
        return constant(text.value.lower())
    return method(text, "lower")


def compare(left: ast.expr, operator: str, right: ast.expr) -> ast.expr:
    """Write one comparison, `in`, `is` or `is not`."""
    return ast.Compare(left, [_COMPARE[operator]], [right], **_AT)


def binary(left: ast.expr, operator: str, right: ast.expr) -> ast.expr:
    """Write `+`, `-` or `*`."""
    return ast.BinOp(left, _BINARY[operator], right, **_AT)


def unary(operator: str, operand: ast.expr) -> ast.expr:
    """Write `not operand` for `!`, or `-operand`."""
    return ast.UnaryOp(_UNARY[operator], operand, **_AT)


def logic(operator: str, operands: list[ast.expr]) -> ast.expr:
    """Join operands by `and` for `&&`, by `or` for `||`."""
    return ast.BoolOp(_LOGIC[operator], operands, **_AT)


def all_of(operands: list[ast.expr]) -> ast.expr:
    """Join one or more operands by `and`."""
    return logic("&&", operands) if len(operands) > 1 else operands[0]


def conjuncts(node: ast.expr) -> list[ast.expr]:
    """Return the operands that are joined by `and`; a node of another kind is its own."""
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        return node.values
    return [node]


def choice(condition: ast.expr, then: ast.expr, otherwise: ast.expr) -> ast.expr:
    """Write `then if condition else otherwise`."""
    return ast.IfExp(condition, then, otherwise, **_AT)


def sequence(items: list[ast.expr]) -> ast.expr:
    """Write a list."""
    return ast.List(items, _LOAD, **_AT)


def pair(one: ast.expr, other: ast.expr) -> ast.expr:
    """Write a tuple of two."""
    return ast.Tuple([one, other], _LOAD, **_AT)


def mapping(keys: list[ast.expr], values: list[ast.expr]) -> ast.expr:
    """Write a dict."""
    return ast.Dict([*keys], values, **_AT)


def between(low: ast.expr, value: ast.expr, high: ast.expr) -> ast.expr:
    """Write `low <= value < high`."""
    return ast.Compare(low, [_COMPARE["<="], _COMPARE["<"]], [value, high], **_AT)


def item(owner: ast.expr, index: ast.expr) -> ast.expr:
    """Read `owner[index]`."""
    return ast.Subscript(owner, index, _LOAD, **_AT)


def _parameters(*names: str) -> ast.arguments:
    return ast.arguments(
        posonlyargs=[],
        args=[ast.arg(parameter, **_AT) for parameter in names],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )


def thunk(body: ast.expr, *parameters: str) -> ast.expr:
    """Write `lambda parameters: body`."""
    return ast.Lambda(_parameters(*parameters), body, **_AT)


def generator(body: ast.expr, variable: str, items: ast.expr, test: ast.expr | None) -> ast.expr:
    """Write `(body for variable in items if test)`."""
    return ast.GeneratorExp(body, [_clause(variable, items, test)], **_AT)


def list_comprehension(
    body: ast.expr, variable: str, items: ast.expr, test: ast.expr | None
) -> ast.expr:
    """Write `[body for variable in items if test]`."""
    return ast.ListComp(body, [_clause(variable, items, test)], **_AT)


def _clause(variable: str, items: ast.expr, test: ast.expr | None) -> ast.comprehension:
    target = ast.Name(variable, _STORE, **_AT)
    return ast.comprehension(target, items, [] if test is None else [test], 0)


def assignment(variable: str, value: ast.expr) -> ast.stmt:
    """Write `variable = value`."""
    return ast.Assign([ast.Name(variable, _STORE, **_AT)], value, **_AT)


def named(variable: str, value: ast.expr) -> ast.expr:
    """Write `(variable := value)`."""
    return ast.NamedExpr(ast.Name(variable, _STORE, **_AT), value, **_AT)


def when(condition: ast.expr, then: list[ast.stmt]) -> ast.stmt:
    """Write `if condition: then`."""
    return ast.If(condition, then, [], **_AT)


def returned(value: ast.expr) -> ast.stmt:
    """Write `return value`."""
    return ast.Return(value, **_AT)


def passed_on(error: str) -> ast.ExceptHandler:
    """Write `except error: raise`."""
    return ast.ExceptHandler(name(error), None, [ast.Raise(None, None, **_AT)], **_AT)


def converted(error: str, convert: str, *arguments: ast.expr) -> ast.ExceptHandler:
    """Write `except error as cause: raise convert(*arguments, cause) from cause`."""
    raised = ast.Raise(call(convert, *arguments, name("cause")), name("cause"), **_AT)
    return ast.ExceptHandler(name(error), "cause", [raised], **_AT)


def module(
    function: str,
    parameters: tuple[str, ...],
    body: list[ast.stmt],
    handlers: list[ast.ExceptHandler],
) -> ast.Module:
    """Write a module with one function, whose body stands in a `try`."""
    guarded = ast.Try(body, handlers, [], [], **_AT)
    definition = ast.FunctionDef(function, _parameters(*parameters), [guarded], [], **_AT)
    return ast.Module([definition], [])
