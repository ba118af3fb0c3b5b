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


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("for x in y", "loop over a list with list.map(x, ...) or list.filter(x, ...)"),
        ("a if b", "write 'condition ? a : b'"),
        ("a == package", "put quotes around text"),
    ],
)
def test_a_word_of_other_languages_is_refused_by_name(text: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        parsed(text)
    [finding] = raised.value.findings
    assert text[finding.start : finding.end] in ("for", "if", "package")
    assert finding.hint == hint


def test_the_deepest_nesting_there_may_be_is_read() -> None:
    opened = "a || b && c == d + e * -f(" * LIMITS.max_nesting
    with pytest.raises(ExpressionError) as raised:
        parsed(opened + "g" + ")" * LIMITS.max_nesting)
    assert raised.value.findings[0].code == "expression-too-deep"


@pytest.mark.parametrize("part", ["!", "-", "a ? b : ", "a + ", "a || ", "a.", "a["])
def test_what_stands_in_a_row_without_brackets_needs_no_recursion(part: str) -> None:
    count = LIMITS.max_nesting if part.endswith("[") else 1_000
    with pytest.raises(ExpressionError) as raised:
        parsed(part * count + "`")
    assert raised.value.findings[0].code == "syntax-error"
    deep = part.endswith(("!", "-", ": ", "+ ", "."))
    if not deep:
        return
    with pytest.raises(ExpressionError) as raised:
        parsed(part * count + "a")
    assert raised.value.findings[0].code == "expression-too-deep"


def test_parsing_changes_nothing_outside(caplog: pytest.LogCaptureFixture) -> None:
    before = sys.getrecursionlimit()
    with caplog.at_level(logging.DEBUG):
        parsed("a.b(c)[0] == 'x'")
    assert sys.getrecursionlimit() == before
    assert not caplog.records


def test_the_first_expression_prints_nothing_and_loads_no_other_parser() -> None:
    program = (
        "import sys\n"
        "from policy.cel.parse import parse_expression\n"
        "from policy.cel import Limits\n"
        "parse_expression('a == 1', Limits())\n"
        "assert not {'celpy', 'lark'} & sys.modules.keys()\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert (ran.stdout, ran.stderr) == (b"", b"")
