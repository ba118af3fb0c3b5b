"""The checked tree: names are resolved, parts have types, calls have their overloads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from policy.cel.declarations import Function, Message, Overload, Variable
from policy.cel.syntax import LogicOperator, MacroKind
from policy.cel.types import CelType


@dataclass(frozen=True, slots=True)
class Constant:
    """A value known at load."""

    value: object
    type: CelType
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class VariableRead:
    """The value of a declared variable."""

    variable: Variable
    type: CelType
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Local:
    """The element of a loop, by its written name."""

    name: str
    type: CelType
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Field:
    """A declared field of an object, or (with a dynamic operand) whatever is found at run time."""

    operand: TypedNode
    field: str
    type: CelType
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a list or map."""

    operand: TypedNode
    index: TypedNode
    type: CelType
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one of `overloads`: decided at load if there is one and no argument is dynamic.

    `arguments` begin with the target of a method.
    """

    function: Function
    overloads: tuple[Overload, ...]
    arguments: tuple[TypedNode, ...]
    type: CelType
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator on one or two operands."""

    operator: str
    operands: tuple[TypedNode, ...]
    type: CelType
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Logic:
    """Operands joined by `&&` or `||`."""

    operator: LogicOperator
    operands: tuple[TypedNode, ...]
    type: CelType
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Conditional:
    """A choice."""

    condition: TypedNode
    then: TypedNode
    otherwise: TypedNode
    type: CelType
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list made from its items."""

    items: tuple[TypedNode, ...]
    type: CelType
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map made from its entries."""

    entries: tuple[tuple[TypedNode, TypedNode], ...]
    type: CelType
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Build:
    """A message made from its fields."""

    message: Message
    fields: tuple[tuple[str, TypedNode], ...]
    type: CelType
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Has:
    """Whether a field or element is there."""

    read: TypedNode
    type: CelType
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Loop:
    """A macro over the elements of a list or the keys of a map."""

    kind: MacroKind
    target: TypedNode
    variable: str
    condition: TypedNode | None
    body: TypedNode
    type: CelType
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A part that can only fail at run time; made by unchecked environments."""

    code: str
    message: str
    type: CelType
    start: int
    end: int


TypedNode: TypeAlias = (
    Constant
    | VariableRead
    | Local
    | Field
    | Element
    | Call
    | Operation
    | Logic
    | Conditional
    | ListOf
    | MapOf
    | Build
    | Has
    | Loop
    | Failure
)


def children(node: TypedNode) -> tuple[TypedNode, ...]:
    """Return the direct parts of a node, in text order."""
    match node:
        case Field(operand=operand):
            return (operand,)
        case Element(operand=operand, index=index):
            return (operand, index)
        case Call(arguments=nodes) | Operation(operands=nodes) | Logic(operands=nodes):
            return nodes
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            return (condition, then, otherwise)
        case ListOf(items=items):
            return items
        case MapOf(entries=entries):
            return tuple(part for entry in entries for part in entry)
        case Build(fields=fields):
            return tuple(value for _, value in fields)
        case Has(read=read):
            return (read,)
        case Loop(target=target, condition=condition, body=body):
            return (target, body) if condition is None else (target, condition, body)
        case _:
            return ()
