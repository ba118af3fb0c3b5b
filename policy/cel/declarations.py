"""What an environment declares: variables, functions and their overloads, message types."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from policy.cel.limits import Limits
from policy.cel.types import CelType
from policy.phase import ALL_PHASES, Phase

Inline: TypeAlias = Callable[[list[ast.expr]], ast.expr]


class InvalidConstantError(Exception):
    """A constant argument that can never work, found while preparing a call.

    `start` and `end` are offsets inside the constant's value, or None for all of it.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.start = start
        self.end = end


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A warning about a constant argument that is accepted."""

    code: str
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A call whose constant argument is already worked in: a function of the other arguments."""

    call: Callable[..., Any]
    cost: int = 0
    raises: bool = False
    doubts: tuple[Doubt, ...] = ()


Prepare: TypeAlias = Callable[[Any, Limits], Prepared]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A declared name and where the activation holds its value.

    `name` is dotted ("req.url.path"); a name may be a variable and at once the beginning of
    others: the longest declared beginning of what is written wins. `attribute` may be a dotted
    path. With `entry` it leads to a dict, and the value is that entry, null without it. A `fresh`
    value may be another one at each read, even within one expression. Of header fields `by_name`
    is the path to the plain dict below them: who looks for a name needs no more.
    """

    name: str
    type: CelType
    attribute: str
    doc: str = ""
    phases: frozenset[Phase] = ALL_PHASES
    entry: str | None = None
    fresh: bool = False
    by_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overload:
    """One signature of a function. Of a method the first parameter is the target.

    `call` takes the arguments in order (after the activation, if the function needs it, and
    after the work budget, if `counts_work`). `raises` tells whether it can fail at all. `cost`
    is the work for each 1,024 characters or items of the first argument, in units of 50 ns.
    `inline` writes the call as plain Python instead, of what `call` would take. `prepare` is used
    when the argument at `prepared` is a constant: it takes (value, limits) once, at load, and
    gives the function of the other arguments; it may raise InvalidConstantError. `doubt` is the
    warning that using this overload earns.
    """

    parameters: tuple[CelType, ...]
    result: CelType
    call: Callable[..., Any]
    method: bool = False
    raises: bool = True
    counts_work: bool = False
    cost: int = 0
    inline: Inline | None = None
    prepare: Prepare | None = None
    prepared: int = 1
    doubt: Doubt | None = None

    def describe(self, name: str) -> str:
        """Return the signature as an author writes the call."""
        parameters = [str(parameter) for parameter in self.parameters]
        if self.method:
            return f"{parameters[0]}.{name}({', '.join(parameters[1:])})"
        return f"{name}({', '.join(parameters)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function or method with its overloads. `name` is dotted for `hash.crc32`.

    With `alias_of`, the name is accepted with a warning that names the right one. What a `secret`
    function gives is never shown to anyone.
    """

    name: str
    overloads: tuple[Overload, ...]
    doc: str = ""
    phases: frozenset[Phase] = ALL_PHASES
    needs_activation: bool = False
    alias_of: str | None = None
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message type that `Name{field: value}` builds; `build` gets the fields as written."""

    name: str
    fields: Mapping[str, CelType]
    result: CelType
    build: Callable[[Mapping[str, Any]], Any]
