"""The syntax tree of an expression: what was written, with the place of each part.

`start` and `end` are offsets in the expression's text, in code points. `depth` is the height of
the tree below and including a node, known while parsing, so that nothing recurses into a tree
that is too deep.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf
from typing import TypeAlias

LogicOperator: TypeAlias = OneOf["&&", "||"]
MacroKind: TypeAlias = OneOf["all", "exists", "exists_one", "filter", "map", "sortBy"]


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant, as its run-time value."""

    value: object
    start: int
    end: int
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Ident:
    """A name. `absolute` when written with a leading dot, which skips local names."""

    name: str
    start: int
    end: int
    absolute: bool = False
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Select:
    """A field read, `operand.field`. `field_start` is the offset of the field's name."""

    operand: Node
    field: str
    field_start: int
    start: int
    end: int
    depth: int


@dataclass(frozen=True, slots=True)
class Index:
    """An element read, `operand[index]`."""

    operand: Node
    index: Node
    start: int
    end: int
    depth: int


@dataclass(frozen=True, slots=True)
class Call:
    """A call, `function(...)` or `target.function(...)`; the name stands at `name_start`."""

    function: str
    target: Node | None
    arguments: tuple[Node, ...]
    name_start: int
    start: int
    end: int
    depth: int


@dataclass(frozen=True, slots=True)
class Unary:
    """A logical or arithmetic negation: `!` or `-`."""

    operator: str
    operand: Node
    start: int
    end: int
    depth: int


@dataclass(frozen=True, slots=True)
class Binary:
    """An arithmetic or relational operator, or `in`."""

    operator: str
    left: Node
    right: Node
    start: int
    end: int
    depth: int


@dataclass(frozen=True, slots=True)
class Logic:
    """Operands joined by one of `&&` and `||`; a chain without brackets is one node."""

    operator: LogicOperator
    operands: tuple[Node, ...]
    start: int
    end: int
    depth: int


@dataclass(frozen=True, slots=True)
class Conditional:
    """`condition ? then : otherwise`."""

    condition: Node
    then: Node
    otherwise: Node
    start: int
    end: int
    depth: int


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[...]`."""

    items: tuple[Node, ...]
    start: int
    end: int
    depth: int


@dataclass(frozen=True, slots=True)
class MapLiteral:
    """`{key: value, ...}`."""

    entries: tuple[tuple[Node, Node], ...]
    start: int
    end: int
    depth: int


@dataclass(frozen=True, slots=True)
class Message:
    """`Name{field: value, ...}`."""

    name: str
    fields: tuple[tuple[str, Node], ...]
    start: int
    end: int
    depth: int


@dataclass(frozen=True, slots=True)
class Has:
    """`has(operand.field)` or `has(operand[index])`."""

    read: Select | Index
    start: int
    end: int
    depth: int


@dataclass(frozen=True, slots=True)
class Macro:
    """A loop: `target.kind(variable, body)`, or `target.map(variable, condition, body)`."""

    kind: MacroKind
    target: Node
    variable: str
    condition: Node | None
    body: Node
    variable_start: int
    start: int
    end: int
    depth: int


Node: TypeAlias = (
    Literal
    | Ident
    | Select
    | Index
    | Call
    | Unary
    | Binary
    | Logic
    | Conditional
    | ListLiteral
    | MapLiteral
    | Message
    | Has
    | Macro
)
