"""Builds the nodes of the syntax tree, expands the macros, and refuses what only looks like CEL."""

from __future__ import annotations

from typing import Final, cast

from policy.cel import parse_errors, syntax
from policy.cel.finding import ExpressionError
from policy.cel.literals import LiteralError, parse_integer, parse_string
from policy.cel.syntax import Node
from policy.cel.tokens import Token

_RESERVED: Final = frozenset(
    (
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
        "loop", "namespace", "package", "return", "var", "void", "while",
    )
)  # fmt: skip
_MACROS: Final = {
    "all": (2,),
    "exists": (2,),
    "exists_one": (2,),
    "filter": (2,),
    "map": (2, 3),
    "sortBy": (2,),
}


def conditional(condition: Node, then: Node, otherwise: Node) -> Node:
    """Build `condition ? then : otherwise`."""
    depth = _depth(condition, then, otherwise)
    return syntax.Conditional(condition, then, otherwise, condition.start, otherwise.end, depth)


def logic(operator: syntax.LogicOperator, operands: tuple[Node, ...]) -> Node:
    """Build a chain of one operator."""
    first, last = operands[0], operands[-1]
    return syntax.Logic(operator, operands, first.start, last.end, _depth(*operands))


def binary(operator: str, left: Node, right: Node) -> Node:
    """Build an operator with two operands."""
    return syntax.Binary(operator, left, right, left.start, right.end, _depth(left, right))


def unary(sign: Token, operand: Node) -> Node:
    """Build a negation; of a number right behind its sign, that number."""
    if sign.kind == "-" and isinstance(operand, syntax.Literal) and sign.end == operand.start:
        value = operand.value
        if type(value) is int or type(value) is float:
            return syntax.Literal(-value, sign.start, operand.end)
    return syntax.Unary(sign.kind, operand, sign.start, operand.end, _depth(operand))


def select(operand: Node, name: Token) -> Node:
    """Build `operand.name`."""
    depth = _depth(operand)
    return syntax.Select(operand, name.text, name.start, operand.start, name.end, depth)


def index(operand: Node, inside: Node, bracket: Token) -> Node:
    """Build `operand[inside]`."""
    return syntax.Index(operand, inside, operand.start, bracket.end, _depth(operand, inside))


def message(
    operand: Node, opening: Token, fields: tuple[tuple[str, Node], ...], bracket: Token
) -> Node:
    """Build `operand{field: value}`. Raises ExpressionError if the operand is no name."""
    name = dotted_name(operand)
    if name is None:
        raise ExpressionError(
            [parse_errors.unexpected_token("{", opening.start, opening.end, wants_value=False)]
        )
    depth = _depth(operand, *(value for _, value in fields))
    return syntax.Message(name, fields, operand.start, bracket.end, depth)


def ident(name: Token, *, dot: Token | None) -> Node:
    """Build a name. Raises ExpressionError for a reserved word without a dot before it."""
    if dot is not None:
        return syntax.Ident(name.text, dot.start, name.end, absolute=True)
    _refuse_reserved(name)
    return syntax.Ident(name.text, name.start, name.end)


def global_call(
    name: Token, arguments: tuple[Node, ...], bracket: Token, *, dot: Token | None
) -> Node:
    """Build `name(...)`. Raises ExpressionError for a reserved word, and `has()` of no read."""
    _refuse_reserved(name)
    start = name.start if dot is None else dot.start
    if name.text == "has":
        if len(arguments) != 1 or not isinstance(arguments[0], syntax.Select | syntax.Index):
            raise ExpressionError([parse_errors.bad_has(start, bracket.end)])
        return syntax.Has(arguments[0], start, bracket.end, _depth(arguments[0]))
    depth = _depth(*arguments)
    return syntax.Call(name.text, None, arguments, name.start, start, bracket.end, depth)


def member_call(target: Node, name: Token, arguments: tuple[Node, ...], bracket: Token) -> Node:
    """Build `target.name(...)`, a macro for the names that are one."""
    if len(arguments) in _MACROS.get(name.text, ()):
        return _macro(target, name, arguments, bracket.end)
    depth = _depth(target, *arguments)
    return syntax.Call(
        name.text, target, arguments, name.start, target.start, bracket.end, depth
    )  # fmt: skip


def list_literal(opening: Token, items: tuple[Node, ...], bracket: Token) -> Node:
    """Build `[...]`."""
    return syntax.ListLiteral(items, opening.start, bracket.end, _depth(*items))


def map_literal(opening: Token, entries: tuple[tuple[Node, Node], ...], bracket: Token) -> Node:
    """Build `{...}`."""
    depth = _depth(*(node for entry in entries for node in entry))
    return syntax.MapLiteral(entries, opening.start, bracket.end, depth)


def literal(token: Token) -> Node:
    """Build a constant. Raises ExpressionError for what stands for no value."""
    return syntax.Literal(_literal_value(token), token.start, token.end)


def dotted_name(node: Node) -> str | None:
    """Return `a.b.c` for a chain of plain names, else None."""
    names: list[str] = []
    while isinstance(node, syntax.Select):
        names.append(node.field)
        node = node.operand
    if not isinstance(node, syntax.Ident):
        return None
    return ".".join((node.name, *reversed(names)))


def _depth(*nodes: Node) -> int:
    return 1 + max((node.depth for node in nodes), default=0)


def _macro(target: Node, name: Token, arguments: tuple[Node, ...], end: int) -> Node:
    variable = arguments[0]
    if not isinstance(variable, syntax.Ident) or variable.absolute:
        raise ExpressionError(
            [parse_errors.bad_macro_variable(name.text, variable.start, variable.end)]
        )
    condition = arguments[1] if len(arguments) == 3 else None
    return syntax.Macro(
        cast("syntax.MacroKind", name.text),
        target,
        variable.name,
        condition,
        arguments[-1],
        variable.start,
        target.start,
        end,
        _depth(target, *arguments),
    )


def _refuse_reserved(name: Token) -> None:
    if name.text in _RESERVED:
        raise ExpressionError([parse_errors.reserved_word(name.text, name.start, name.end)])


def _literal_value(token: Token) -> object:
    text = token.text
    try:
        match token.kind:
            case "STRING_LIT":
                return parse_string(text)
            case "INT_LIT":
                return parse_integer(text)
            case "FLOAT_LIT":
                return float(text)
            case "BOOL_LIT":
                return text == "true"
            case _:
                return None
    except LiteralError as error:
        raise ExpressionError(
            [
                parse_errors.bad_literal(
                    error.message, token.start + error.start, token.start + error.end
                )
            ]
        ) from None
