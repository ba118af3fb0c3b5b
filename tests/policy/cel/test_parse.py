from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from policy.cel import Limits
from policy.cel.finding import ExpressionError
from policy.cel.literals import parse_string, plain_body_start
from policy.cel.parse import parse_expression
from policy.cel.syntax import (
    Binary,
    Call,
    Conditional,
    Has,
    Ident,
    Index,
    Literal,
    Logic,
    Macro,
    Message,
    Node,
    Select,
    Unary,
)
from policy.cel.values import Uint

LIMITS = Limits()


def parsed(text: str) -> Node:
    return parse_expression(text, LIMITS)[0]


def covered(text: str, node: Node) -> str:
    return text[node.start : node.end]


def test_positions_count_code_points() -> None:
    text = "'😀é' == req.method"
    node = parsed(text)
    assert isinstance(node, Binary)
    assert covered(text, node.right) == "req.method"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a.b", Select),
        ("a.`b-c`", Select),
        ("a[0]", Index),
        ("a(1, 2)", Call),
        ("a.b(1)", Call),
        ("!a", Unary),
        ("-a", Unary),
        ("a && b && c", Logic),
        ("a ? b : c", Conditional),
        ("has(a.b)", Has),
        ("has(a['b'])", Has),
        ("a.map(x, x, x)", Macro),
        ("a.B{c: 1}", Message),
        (".a", Ident),
        ("'a' // comment", Literal),
    ],
)
def test_node(text: str, kind: type[Node]) -> None:
    node = parsed(text)
    assert isinstance(node, kind)
    assert covered(text, node) == text.partition(" //")[0]


def test_a_chain_of_one_operator_is_one_node() -> None:
    node = parsed("a || b || (c || d) || e && f")
    assert isinstance(node, Logic)
    assert [type(operand) for operand in node.operands] == [Ident, Ident, Logic, Logic]


def test_a_macro_name_with_other_arguments_is_a_call() -> None:
    assert isinstance(parsed("a.map(b)"), Call)
    assert isinstance(parsed("map(a, b)"), Call)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-9223372036854775808", -(2**63)),
        ("0xFF", 255),
        ("18446744073709551615u", Uint(2**64 - 1)),
        (".5e1", 5.0),
        ("-1.5", -1.5),
        ("1e-3", 0.001),
        ("'a\\u00e9\\x41\\101\\n'", "aéAA\n"),
        ("r'a\\n'", "a\\n"),
        ('"""a"b\n"""', 'a"b\n'),
        ("b'é\\xff'", b"\xc3\xa9\xff"),
        ("br'\\xff'", b"\\xff"),
        ("true", True),
        ("null", None),
    ],
)
def test_literal(text: str, value: object) -> None:
    node = parsed(text)
    assert isinstance(node, Literal)
    assert node.value == value
    assert type(node.value) is type(value)


@pytest.mark.parametrize("text", ["18446744073709551616u", "99999999999999999999", "9" * 5_000])
def test_a_number_that_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parsed(text)


@pytest.mark.parametrize(
    ("text", "start"), [("'ab'", 1), ("r'a\\b'", 2), ("'''a'''", 3), ("'a\\n'", None), ("x", None)]
)
def test_where_a_value_begins_in_its_literal(text: str, start: int | None) -> None:
    assert plain_body_start(text) == start
    if start is not None:
        value = parse_string(text)
        assert isinstance(value, str)
        assert text[start:].startswith(value)


def test_parsing_changes_nothing_outside(caplog: pytest.LogCaptureFixture) -> None:
    before = sys.getrecursionlimit()
    with caplog.at_level(logging.DEBUG):
        parsed("a.b(c)[0] == 'x'")
    assert sys.getrecursionlimit() == before
    assert not caplog.records


def test_the_first_expression_prints_nothing_and_loads_no_evaluator() -> None:
    program = (
        "import sys\n"
        "from policy.cel.parse import parse_expression\n"
        "from policy.cel import Limits\n"
        "parse_expression('a == 1', Limits())\n"
        "assert 'celpy' not in sys.modules\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert (ran.stdout, ran.stderr) == (b"", b"")
