"""Small pieces of Python syntax trees, from which compiled expressions are put together."""

from __future__ import annotations

import ast

_LOAD = ast.Load()


def name(identifier: str) -> ast.expr:
    """Read a name."""
    return ast.Name(identifier, _LOAD)


def constant(value: object) -> ast.expr:
    """Write a value that the code object can hold itself."""
    return ast.Constant(value)  # type: ignore[arg-type]


def attribute(owner: ast.expr, field: str) -> ast.expr:
    """Read `owner.field`."""
    return ast.Attribute(owner, field, _LOAD)


def call(function: ast.expr | str, *arguments: ast.expr) -> ast.expr:
    """Call a function, or the function of a name."""
    target = name(function) if isinstance(function, str) else function
    return ast.Call(target, list(arguments), [])


def method(target: ast.expr, method_name: str, *arguments: ast.expr) -> ast.expr:
    """Call `target.method_name(...)`."""
    return call(attribute(target, method_name), *arguments)


def compare(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> ast.expr:
    """Write one comparison."""
    return ast.Compare(left, [operator], [right])


def item(owner: ast.expr, index: ast.expr) -> ast.expr:
    """Read `owner[index]`."""
    return ast.Subscript(owner, index, _LOAD)


def thunk(body: ast.expr, *parameters: str) -> ast.expr:
    """Write `lambda parameters: body`."""
    arguments = ast.arguments(
        posonlyargs=[], args=[ast.arg(p) for p in parameters], kwonlyargs=[], kw_defaults=[],
        defaults=[],
    )  # fmt: skip
    return ast.Lambda(arguments, body)


def generator(body: ast.expr, variable: str, items: ast.expr, test: ast.expr | None) -> ast.expr:
    """Write `(body for variable in items if test)`."""
    return ast.GeneratorExp(body, [_clause(variable, items, test)])


def list_comprehension(
    body: ast.expr, variable: str, items: ast.expr, test: ast.expr | None
) -> ast.expr:
    """Write `[body for variable in items if test]`."""
    return ast.ListComp(body, [_clause(variable, items, test)])


def _clause(variable: str, items: ast.expr, test: ast.expr | None) -> ast.comprehension:
    target = ast.Name(variable, ast.Store())
    return ast.comprehension(target, items, [] if test is None else [test], 0)
