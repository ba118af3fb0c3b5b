"""Limits hold: no text at load and no value at run time keeps a worker busy (T-EX-1 to 4)."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest

from policy.cel import CelError, ExpressionError, Limits
from policy.cel.compare import equals
from tests.policy.cel.requests import Values, compiled

MIB = 1_048_576


def longest_s() -> float:
    """Return the promised 50 ms with room for a busy, slow or traced interpreter, in CPU time."""
    parts = list(range(20_000))
    begin = time.process_time()
    equals([parts], [list(parts)])
    usual_s = 0.006
    return 0.15 * max(1.0, (time.process_time() - begin) / usual_s)


def codes(text: str, **limits: Any) -> list[str]:
    with pytest.raises(ExpressionError) as refused:
        compiled(text, limits=Limits(**limits))
    return [finding.code for finding in refused.value.findings]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x" * 100_000, "expression-too-long"),
        ("(" * 1_000 + "1" + ")" * 1_000, "expression-too-deep"),
        ("[" * 1_000 + "]" * 1_000, "expression-too-deep"),
        ("!" * 4_000 + "true", "expression-too-deep"),
        ("-" * 4_000 + "x", "expression-too-deep"),
        ("1" + "+1" * 2_000, "expression-too-deep"),
        ("true" + "?true:true" * 500, "expression-too-deep"),
        ("a" + ".b" * 2_000, "expression-too-deep"),
        ("1" + "+1" * 6_000, "expression-too-big"),
        ("'" + "\\\\" * 10_000, "syntax-error"),
        ("'a'.matches('" + "a" * 3_000 + "')", "regex-too-big"),
        ("req.method.matches('[a-z]{1000}[0-9]{1000}[b-z]{1000}[1-9]{1000}')", "regex-too-big"),
        ("lists.range(2000000).size() == 1", "always-fails"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_too_much_text_is_refused_with_a_code(text: str, code: str) -> None:
    """T-EX-2."""
    assert codes(text) == [code]


def test_limits_can_be_set() -> None:
    assert codes("req.method == 'GET'", max_length=10) == ["expression-too-long"]
    assert codes("((1))", max_nesting=1) == ["expression-too-deep"]
    assert codes("1 + 1 + 1", max_depth=2) == ["expression-too-deep"]
    assert codes("1 + 1 + 1", max_nodes=4) == ["expression-too-big"]
    assert codes("'a'.matches('abc')", max_regex_length=2) == ["regex-too-big"]


@pytest.mark.parametrize(
    ("limits", "pattern", "expected"),
    [
        (Limits(max_dynamic_regex_length=3), "abc", None),
        (Limits(max_dynamic_regex_length=3), "abcd", "regex-too-big"),
        (Limits(max_regex_program=20), "a{9}", None),
        (Limits(max_regex_program=20), "a{99}", "regex-too-big"),
        (Limits(), "a{99}", None),
        (Limits(), "a" * 257, "regex-too-big"),
    ],
)
def test_a_pattern_of_run_time_has_the_limits_of_its_environment(
    limits: Limits, pattern: str, expected: str | None
) -> None:
    expression = compiled("test.text.matches(test.any)", limits=limits)
    try:
        expression.evaluate(Values(test_text="abc", test_any=pattern))
        found = None
    except CelError as error:
        found = error.code
    assert found == expected


def test_a_chain_of_conditions_may_be_long() -> None:
    text = " || ".join(f"req.method == 'M{number}'" for number in range(500))
    assert compiled(text).evaluate(Values()) is False


BIG = "a" * MIB
WIDE = list(range(300_000))
TANGLE: list[Any] = [[[[list(range(1_000))] * 10] * 10] * 10] * 10
NESTED = "lists.range(1000).map(a, " * 4 + "1" + ")" * 4


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (NESTED, {}),
        ("lists.range(100000).all(a, test.text == test.any)", {"test_any": BIG[1:] + "a"}),
        ("lists.range(100000).map(a, test.text + test.text).size()", {}),
        ("lists.range(9000).map(a, a % 2 == 0 ? test.text : test.any).sort()", {"test_any": BIG}),
        ("test.any.encodeJson()", {"test_any": WIDE}),
        ("test.text.decodeJson()", {"test_text": "[" + "[1]," * 200_000 + "1]"}),
        ("test.any == vars.other", {"test_any": TANGLE, "other": [[*TANGLE[0]]] * 10}),
        ("'%s'.format([test.any])", {"test_any": TANGLE}),
        ("test.text.upper()", {"test_text": "ß" * MIB}),
        ("strings.quote(test.text)", {"test_text": '"' * MIB}),
        ("test.text.escapeUrl()", {"test_text": "😀" * MIB}),
        ("test.text.crc64()", {}),
        ("test.text.replace('a', 'aa').replace('a', 'aa')", {}),
        ("test.text.split('')", {}),
        ("test.text.matches('[ab]*a[ab]{200}c')", {}),
        ("test.text.matches(test.any)", {"test_any": "[ab]*a[ab]{200}c"}),
        (" && ".join(f"test.text.matches('a+{n}?')" for n in range(300)), {}),
        (" || ".join(f"test.text.contains('aaaab{n}')" for n in range(500)), {}),
        ("duration(test.text)", {"test_text": "1h" * MIB}),
        ("inCidrRange(conn.client_ip, test.text)", {"test_text": "1." * MIB}),
        ("int(test.text)", {"test_text": "1" * MIB}),
    ],
    ids=lambda value: str(value)[:50] if isinstance(value, str) else "",
)
def test_no_evaluation_takes_long(text: str, values: dict[str, Any]) -> None:
    expression = compiled(text)
    activation = Values(**{"test_text": BIG, **values})
    activation.vars["other"] = values.get("other")
    allowed_s = longest_s()
    begin = time.process_time()
    with contextlib.suppress(CelError):
        expression.evaluate(activation)
    assert time.process_time() - begin < allowed_s


def test_an_exceeded_budget_is_not_absorbed() -> None:
    expression = compiled(f"{NESTED}.size() > 0 || true")
    with pytest.raises(CelError) as failed:
        expression.evaluate(Values())
    assert failed.value.code == "work-budget"


def test_a_linear_pattern_matches_a_long_text() -> None:
    assert compiled("test.text.matches('(a+)+$')").evaluate(Values(test_text=BIG)) is True


def test_strings_can_not_grow_from_rule_to_rule() -> None:
    expression = compiled("vars.x + vars.x")
    values = Values(vars={"x": "a" * 1_000})
    with pytest.raises(CelError) as failed:
        for _ in range(30):
            values.vars["x"] = expression.evaluate(values)
    assert failed.value.code == "value-too-big"
