"""Builds the syntax tree while the grammar's rules are reduced, and expands the macros.

Method names are the grammar's rule names; each gets the values of the rule's parts in order,
punctuation included. The many rules that only pass one part on are `_one`.
"""

from __future__ import annotations

from typing import Any, Final, cast

from lark import Token

from policy.cel import parse_errors, syntax
from policy.cel.finding import ExpressionError
from policy.cel.literals import LiteralError, parse_integer, parse_string
from policy.cel.syntax import Node

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


class _Chain:
    """Operands of `&&` or `||` while more may follow."""

    __slots__ = ("operands", "operator")

    def __init__(self, operator: syntax.LogicOperator, operands: list[Node]) -> None:
        self.operator = operator
        self.operands = operands


def _one(parts: list[Any]) -> Any:
    return parts[0]


def _start(token: Token) -> int:
    return cast("int", token.start_pos)


def _end(token: Token) -> int:
    return cast("int", token.end_pos)


def _depth(*nodes: Node) -> int:
    return 1 + max((node.depth for node in nodes), default=0)


def _sealed(part: _Chain | Node) -> Node:
    """Make a finished chain one node."""
    if not isinstance(part, _Chain):
        return part
    operands = tuple(part.operands)
    return syntax.Logic(
        part.operator, operands, operands[0].start, operands[-1].end, _depth(*operands)
    )


def _chain(parts: list[Any], operator: syntax.LogicOperator) -> _Chain | Node:
    if len(parts) == 1:
        return cast("_Chain | Node", parts[0])
    # The left part is this very rule with its operator: [[chain or node], operator, operand].
    left, operand = parts[0], _sealed(parts[-1])
    if isinstance(left, _Chain) and left.operator == operator:
        left.operands.append(operand)
        return left
    return _Chain(operator, [_sealed(left), operand])


class TreeBuilder:
    """One method for each rule of the grammar."""

    def expr(self, parts: list[Any]) -> Node:
        if len(parts) == 1:
            return _sealed(parts[0])
        condition, then, otherwise = _sealed(parts[0]), _sealed(parts[2]), parts[4]
        return syntax.Conditional(
            condition,
            then,
            otherwise,
            condition.start,
            otherwise.end,
            _depth(condition, then, otherwise),
        )

    def conditionalor(self, parts: list[Any]) -> _Chain | Node:
        return _chain(parts, "||") if len(parts) > 1 else cast("_Chain | Node", parts[0])

    def conditionaland(self, parts: list[Any]) -> _Chain | Node:
        return _chain(parts, "&&")

    def _operator(self, parts: list[Any]) -> tuple[Node, str]:
        return parts[0], str(parts[1])

    relation_lt = relation_le = relation_gt = relation_ge = _operator
    relation_eq = relation_ne = relation_in = _operator
    addition_add = addition_sub = _operator
    multiplication_mul = multiplication_div = multiplication_mod = _operator

    def _binary(self, parts: list[Any]) -> Node:
        if len(parts) == 1:
            return cast("Node", parts[0])
        (left, operator), right = parts
        return syntax.Binary(operator, left, right, left.start, right.end, _depth(left, right))

    relation = addition = multiplication = _binary

    def unary(self, parts: list[Any]) -> Node:
        if len(parts) == 1:
            return cast("Node", parts[0])
        sign, operand = parts
        start = _start(sign)
        if sign == "-" and isinstance(operand, syntax.Literal) and start + 1 == operand.start:
            value = operand.value
            if type(value) is int or type(value) is float:
                return syntax.Literal(-value, start, operand.end)
        return syntax.Unary(str(sign), operand, start, operand.end, _depth(operand))

    unary_not = unary_neg = staticmethod(_one)
    member = primary = staticmethod(_one)

    def member_dot(self, parts: list[Any]) -> Node:
        operand, _, name = parts
        return syntax.Select(
            operand, str(name), _start(name), operand.start, _end(name), _depth(operand)
        )

    def member_dot_arg(self, parts: list[Any]) -> Node:
        target, name, arguments, end = parts[0], parts[2], _arguments(parts), _end(parts[-1])
        if str(name) in _MACROS and len(arguments) in _MACROS[str(name)]:
            return _macro(target, name, arguments, end)
        return syntax.Call(
            str(name), target, arguments, _start(name), target.start, end,
            _depth(target, *arguments),
        )  # fmt: skip

    def member_index(self, parts: list[Any]) -> Node:
        operand, _, index, bracket = parts
        return syntax.Index(operand, index, operand.start, _end(bracket), _depth(operand, index))

    def member_object(self, parts: list[Any]) -> Node:
        operand, end = parts[0], _end(parts[-1])
        name = dotted_name(operand)
        if name is None:
            raise ExpressionError(
                [
                    parse_errors.unexpected_token(
                        "{", operand.end, operand.end + 1, wants_value=False
                    )
                ]
            )
        fields = parts[2] if len(parts) == 4 else ()
        return syntax.Message(
            name, fields, operand.start, end, _depth(operand, *(value for _, value in fields))
        )

    def dot_ident(self, parts: list[Any]) -> Node:
        return syntax.Ident(str(parts[1]), _start(parts[0]), _end(parts[1]), absolute=True)

    def ident(self, parts: list[Any]) -> Node:
        name = parts[0]
        _refuse_reserved(name)
        return syntax.Ident(str(name), _start(name), _end(name))

    def ident_arg(self, parts: list[Any]) -> Node:
        return _global_call(parts[0], _start(parts[0]), parts)

    def dot_ident_arg(self, parts: list[Any]) -> Node:
        return _global_call(parts[1], _start(parts[0]), parts)

    def paren_expr(self, parts: list[Any]) -> Node:
        return cast("Node", parts[1])

    def list_lit(self, parts: list[Any]) -> Node:
        items = parts[1] if len(parts) == 3 else ()
        return syntax.ListLiteral(items, _start(parts[0]), _end(parts[-1]), _depth(*items))

    def map_lit(self, parts: list[Any]) -> Node:
        entries = parts[1] if len(parts) == 3 else ()
        depth = _depth(*(node for entry in entries for node in entry))
        return syntax.MapLiteral(entries, _start(parts[0]), _end(parts[-1]), depth)

    def exprlist(self, parts: list[Any]) -> tuple[Node, ...]:
        return tuple(parts[::2])

    def mapinits(self, parts: list[Any]) -> tuple[tuple[Node, Node], ...]:
        return tuple(zip(parts[::4], parts[2::4], strict=True))

    def fieldinits(self, parts: list[Any]) -> tuple[tuple[str, Node], ...]:
        return tuple(
            (str(name), value) for name, value in zip(parts[::4], parts[2::4], strict=True)
        )

    def literal(self, parts: list[Any]) -> Node:
        token = parts[0]
        return syntax.Literal(_literal_value(token), _start(token), _end(token))


def dotted_name(node: Node) -> str | None:
    """Return `a.b.c` for a chain of plain names, else None."""
    names: list[str] = []
    while isinstance(node, syntax.Select):
        names.append(node.field)
        node = node.operand
    if not isinstance(node, syntax.Ident):
        return None
    return ".".join((node.name, *reversed(names)))


def _arguments(parts: list[Any]) -> tuple[Node, ...]:
    return parts[-2] if isinstance(parts[-2], tuple) else ()


def _global_call(name: Token, start: int, parts: list[Any]) -> Node:
    _refuse_reserved(name)
    arguments, end = _arguments(parts), _end(parts[-1])
    if name == "has":
        if len(arguments) != 1 or not isinstance(arguments[0], syntax.Select | syntax.Index):
            raise ExpressionError([parse_errors.bad_has(start, end)])
        return syntax.Has(arguments[0], start, end, _depth(arguments[0]))
    return syntax.Call(str(name), None, arguments, _start(name), start, end, _depth(*arguments))


def _macro(target: Node, name: Token, arguments: tuple[Node, ...], end: int) -> Node:
    variable = arguments[0]
    if not isinstance(variable, syntax.Ident) or variable.absolute:
        raise ExpressionError(
            [parse_errors.bad_macro_variable(str(name), variable.start, variable.end)]
        )
    condition = arguments[1] if len(arguments) == 3 else None
    return syntax.Macro(
        cast("syntax.MacroKind", str(name)),
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
    if name in _RESERVED:
        raise ExpressionError([parse_errors.reserved_word(str(name), _start(name), _end(name))])


def _literal_value(token: Token) -> object:
    text = str(token)
    try:
        match token.type:
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
        start = _start(token)
        raise ExpressionError(
            [parse_errors.bad_literal(error.message, start + error.start, start + error.end)]
        ) from None
