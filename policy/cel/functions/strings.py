"""Tests and cuts of strings."""

from __future__ import annotations

import ast
from typing import Final

from policy.cel import emit
from policy.cel.declarations import Function, Inline, Overload
from policy.cel.types import BOOL, STRING


def _python_method(name: str) -> Inline:
    return lambda arguments: emit.method(arguments[0], name, *arguments[1:])


def _contained(arguments: list[ast.expr]) -> ast.expr:
    return emit.compare(arguments[1], ast.In(), arguments[0])


def contains(text: str, part: str) -> bool:
    """Tell whether a string has another inside."""
    return part in text


_TWO_STRINGS: Final = (STRING, STRING)

STRING_FUNCTIONS: Final = (
    Function(
        name="startsWith",
        doc="Whether a string begins with another.",
        overloads=(
            Overload(
                parameters=_TWO_STRINGS, result=BOOL, method=True, raises=False,
                call=str.startswith, inline=_python_method("startswith"),
            ),
        ),
    ),
    Function(
        name="endsWith",
        doc="Whether a string ends with another.",
        overloads=(
            Overload(
                parameters=_TWO_STRINGS, result=BOOL, method=True, raises=False,
                call=str.endswith, inline=_python_method("endswith"),
            ),
        ),
    ),
    Function(
        name="contains",
        doc="Whether a string has another inside.",
        overloads=(
            Overload(
                parameters=_TWO_STRINGS, result=BOOL, method=True, raises=False,
                call=contains, inline=_contained,
            ),
        ),
    ),
)  # fmt: skip
