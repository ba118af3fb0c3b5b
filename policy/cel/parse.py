"""From tokens to the syntax tree, by the grammar of CEL's definition.

    expression  = operation [ "?" operation ":" expression ]
    operation   = operands joined by || && < <= >= > == != in + - * / %, looser ones first
    unary       = { "!" | "-" } member
    member      = primary { "." name [ "(" list ")" ] | "[" expression "]" | "{" fields "}" }
    primary     = [ "." ] name [ "(" list ")" ] | "(" expression ")" | "[" list "]" | "{" map "}"
                | literal

A method stands for each. What may be written at any length without brackets is read in loops, so
that only brackets are a matter of recursion, of which there can be no more than the limit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar, cast

from policy.cel import parse_errors, tree
from policy.cel.finding import ExpressionError, Finding
from policy.cel.limits import Limits
from policy.cel.syntax import LogicOperator, Node
from policy.cel.tokens import OPENING, Token, split_tokens

T = TypeVar("T")

_NAME: Final = "IDENT"
_END: Final = "end"
_LITERALS: Final = frozenset(("STRING_LIT", "INT_LIT", "FLOAT_LIT", "BOOL_LIT", "NULL_LIT"))
# How tightly an operator binds; those of one line are read from left to right.
_BINDING: Final = {
    operator: binding
    for binding, operators in enumerate(
        (("||",), ("&&",), ("<", "<=", ">=", ">", "==", "!=", "in"), ("+", "-"), ("*", "/", "%")),
        start=1,
    )
    for operator in operators
}
_LOOSEST: Final = 1


def parse_expression(text: str, limits: Limits) -> tuple[Node, list[Finding]]:
    """Parse one expression; the findings are warnings. Raises ExpressionError."""
    tokens, warnings = split_tokens(text, limits)
    if not tokens:
        raise ExpressionError([parse_errors.empty_expression(len(text))])
    node = _Parser(tokens, len(text)).parse()
    if node.depth > limits.max_depth:
        raise ExpressionError([parse_errors.tree_too_deep(len(text), limits.max_depth)])
    return node, warnings


class _Parser:
    """Reads tokens from the first to the last; `_next` is the one that is not read yet."""

    def __init__(self, tokens: list[Token], length: int) -> None:
        self._tokens = tokens
        self._rest = iter([*tokens[1:], Token(_END, "", length, length)])
        self._next = tokens[0]

    def parse(self) -> Node:
        node = self._expression()
        self._expect(_END)
        return node

    def _expression(self) -> Node:
        choices: list[tuple[Node, Node]] = []
        node = self._operation(_LOOSEST)
        while self._take("?"):
            then = self._operation(_LOOSEST)
            self._expect(":")
            choices.append((node, then))
            node = self._operation(_LOOSEST)
        for condition, then in reversed(choices):
            node = tree.conditional(condition, then, node)
        return node

    def _operation(self, loosest: int) -> Node:
        """Read operands joined by operators that bind as tightly as `loosest`, or tighter."""
        node = self._unary()
        while (binding := _BINDING.get(self._next.kind, 0)) >= loosest:
            operator = self._advance().kind
            operands = [node, self._operation(binding + 1)]
            if operator in ("&&", "||"):
                while self._take(operator):
                    operands.append(self._operation(binding + 1))
                node = tree.logic(cast("LogicOperator", operator), tuple(operands))
            else:
                node = tree.binary(operator, *operands)
        return node

    def _unary(self) -> Node:
        signs: list[Token] = []
        while self._next.kind in ("!", "-"):
            signs.append(self._advance())
        node = self._member()
        for sign in reversed(signs):
            node = tree.unary(sign, node)
        return node

    def _member(self) -> Node:
        node = self._primary()
        while True:
            token = self._next
            if self._take("."):
                name = self._expect(_NAME)
                if self._take("("):
                    node = tree.member_call(node, name, *self._items(self._expression, ")"))
                else:
                    node = tree.select(node, name)
            elif self._take("["):
                node = tree.index(node, self._expression(), self._expect("]"))
            elif self._take("{"):
                node = tree.message(node, token, *self._items(self._field, "}"))
            else:
                return node

    def _primary(self) -> Node:
        token = self._next
        if token.kind in _LITERALS:
            return tree.literal(self._advance())
        if self._take("("):
            node = self._expression()
            self._expect(")")
            return node
        if self._take("["):
            return tree.list_literal(token, *self._items(self._expression, "]"))
        if self._take("{"):
            return tree.map_literal(token, *self._items(self._entry, "}"))
        dot = token if self._take(".") else None
        name = self._expect(_NAME)
        if self._take("("):
            return tree.global_call(name, *self._items(self._expression, ")"), dot=dot)
        return tree.ident(name, dot=dot)

    def _field(self) -> tuple[str, Node]:
        name = self._expect(_NAME)
        self._expect(":")
        return name.text, self._expression()

    def _entry(self) -> tuple[Node, Node]:
        key = self._expression()
        self._expect(":")
        return key, self._expression()

    def _items(self, read: Callable[[], T], closing: str) -> tuple[tuple[T, ...], Token]:
        """Read what stands between brackets, with commas between; return the last bracket too."""
        items: list[T] = []
        if self._next.kind != closing:
            items.append(read())
            while self._take(","):
                items.append(read())
        return tuple(items), self._expect(closing)

    def _advance(self) -> Token:
        token = self._next
        self._next = next(self._rest, token)
        return token

    def _take(self, kind: str) -> bool:
        """Read the next token if it is of a kind; tell whether it was."""
        if self._next.kind != kind:
            return False
        self._advance()
        return True

    def _expect(self, kind: str) -> Token:
        if self._next.kind != kind:
            raise ExpressionError([self._unexpected(wants_value=kind == _NAME)])
        return self._advance()

    def _unexpected(self, *, wants_value: bool) -> Finding:
        token = self._next
        if token.kind != _END:
            return parse_errors.unexpected_token(
                token.text, token.start, token.end, wants_value=wants_value
            )
        opening = _open_bracket(self._tokens)
        if opening is not None and not wants_value:
            return parse_errors.unclosed_bracket(opening.start, opening.end)
        return parse_errors.unexpected_end(token.end, wants_value=wants_value)


def _open_bracket(tokens: list[Token]) -> Token | None:
    stack: list[Token] = []
    for token in tokens:
        if token.text in OPENING:
            stack.append(token)
        elif token.text in OPENING.values() and stack:
            stack.pop()
    return stack[-1] if stack else None
