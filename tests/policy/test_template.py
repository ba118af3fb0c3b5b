from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.cel import Environment, Finding, Variable, types
from policy.phase import Phase
from policy.problem import Severity
from policy.template import (
    PART_LIMIT,
    InterpolationError,
    Template,
    TemplateError,
    lint_literal,
    parse_template,
)


def variable(name: str, kind: types.CelType) -> Variable:
    attribute = name.replace(".", "_")
    return Variable(name=name, type=kind, doc="", phases=frozenset(Phase), attribute=attribute)


ENVIRONMENT = Environment(
    phase=Phase.ON_HTTP_REQUEST,
    variables=[
        variable("req.method", types.STRING),
        variable("conn.client_port", types.INT),
        variable("vars", types.MapType(types.STRING, types.DYN, missing=None)),
    ],
)
REQUEST = SimpleNamespace(
    req_method="GET",
    conn_client_port=443,
    vars={"list": ["a", "b"], "map": {"k": 1}, "tricky": "${req.method}", "bytes": b"\xff"},
)


def template(text: str) -> Template:
    parsed = parse_template(text, ENVIRONMENT)
    assert isinstance(parsed, Template)
    return parsed


def findings(text: str) -> tuple[Finding, ...]:
    with pytest.raises(TemplateError) as refused:
        parse_template(text, ENVIRONMENT)
    return refused.value.findings


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("${req.method}", "GET"),
        ("a ${req.method} b", "a GET b"),
        ("${req.method}${conn.client_port}", "GET443"),
        ("${ req.method }", "GET"),
        ("${req.method == 'GET' ? '}' : '{'}", "}"),
        ('${"}" + req.method}', "}GET"),
        ("${'''}''' + r'\\}'}", "}\\}"),
        ('${"""}"""}', "}"),
        ("${'\\'}'}", "'}"),
        ("${string({'a': {'b': 1}}['a']['b'])}", "1"),
        ("${{'a': 'x'}['a']}", "x"),
        ('${\\"x\\" + req.method}', "xGET"),
        ('a ${req.method} ${\\"}\\"} b', "a GET } b"),
        ("$${req.method} ${req.method}", "${req.method} GET"),
        ("$1 $name $ ${req.method} $", "$1 $name $ GET $"),
        ("${vars.list}", "a, b"),
        ("${vars.map}", '{"k":1}'),
        ("<${vars.unset}>", "<>"),
        ("é${'😀'}", "é😀"),
    ],
)
def test_parts_are_replaced_by_their_values(text: str, rendered: str) -> None:
    """Language spec, section 2.4."""
    assert template(text).render(REQUEST) == rendered


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("", ""),
        ("plain", "plain"),
        ("$1 $name $", "$1 $name $"),
        ("{req.method}", "{req.method}"),
        ("$${x}", "${x}"),
        ("a $${x} b $${", "a ${x} b ${"),
    ],
)
def test_what_has_no_parts_is_text(text: str, literal: str) -> None:
    assert parse_template(text, ENVIRONMENT) == literal


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${conn.client_port}", 443),
        ("${[1, 2]}", (1, 2)),
        ("${vars.unset}", None),
        (" ${conn.client_port}", " 443"),
        ("${1}${2}", "12"),
    ],
)
def test_a_single_part_keeps_its_type(text: str, value: object) -> None:
    assert template(text).value(REQUEST) == value
    assert template(text).is_single_part == (not isinstance(value, str))


def test_a_value_is_never_expanded_again() -> None:
    """T-EX-5."""
    assert template("${vars.tricky}").render(REQUEST) == "${req.method}"
    assert template("a${vars.tricky}").render(REQUEST) == "a${req.method}"


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("a ${req.metod}", "unknown-variable", "req.metod"),
        ("${req.method} ${req.metod}", "unknown-variable", "req.metod"),
        ('${\\"x\\" + req.metod}', "unknown-variable", "req.metod"),
        ("a ${req.method", "unclosed-interpolation", "${req.method"),
        ("${'a}", "unclosed-interpolation", "${'a}"),
        ("${{}", "unclosed-interpolation", "${{}"),
        ("${}", "syntax-error", None),
        ("${a b}", "syntax-error", "b"),
    ],
)
def test_a_broken_part_is_shown_where_it_stands(text: str, code: str, where: str | None) -> None:
    first = findings(text)[0]
    assert first.code == code
    assert first.reference == "ERR_NGROK_2224"
    assert where is None or text[first.start : first.end] == where


def test_every_broken_part_is_reported() -> None:
    codes = [finding.code for finding in findings("${nope} ${req.method} ${req.path.x} ${")]
    assert codes[0] == "unknown-variable"
    assert codes[-1] == "unclosed-interpolation"
    assert len(codes) >= 3


def test_the_number_of_parts_is_bounded() -> None:
    template("${1}" * PART_LIMIT)
    assert findings("${1}" * (PART_LIMIT + 1))[0].code == "too-many-interpolations"


def test_a_number_is_probably_meant_as_a_group() -> None:
    """Language spec, section 5.18."""
    [warning] = template("a${1}b").warnings
    assert (warning.code, warning.severity) == ("number-interpolated", Severity.WARNING)
    assert warning.hint == "a group of a regular expression is written $1"
    assert (warning.start, warning.end) == (1, 5)


@pytest.mark.parametrize("text", ["json.decode('{}')", " base64.encode(b'x') ", "rand.int(1, 2)"])
def test_a_text_that_reads_as_a_call_is_doubted(text: str) -> None:
    [warning] = lint_literal(text, ENVIRONMENT)
    assert warning.severity is Severity.WARNING
    assert warning.hint == f"write ${{{text.strip()}}} for its value"
    assert text[warning.start : warning.end] == text.strip()


@pytest.mark.parametrize("text", ["", "hello (world)", "nope(1)", "json.decode(", "size matters()"])
def test_other_texts_are_not_doubted(text: str) -> None:
    assert lint_literal(text, ENVIRONMENT) == ()


def test_a_failure_names_the_part_and_never_a_value() -> None:
    """Language spec, section 2.3."""
    secret = SimpleNamespace(req_method="s3cret", conn_client_port=0, vars={"k": "s3cret"})
    for text in ["${int(req.method)}", "a${int(req.method)}", "a${1 / conn.client_port}"]:
        for way in (template(text).render, template(text).value):
            with pytest.raises(InterpolationError) as failed:
                way(secret)
            assert failed.value.reference == "ERR_NGROK_2238"
            assert "s3cret" not in str(failed.value)
            assert "${" in str(failed.value)


@pytest.mark.parametrize("text", ["${vars.bytes}", r"""${json.decode('"\\ud800"')}"""])
def test_what_can_not_be_sent_as_text_fails_the_part(text: str) -> None:
    with pytest.raises(InterpolationError):
        template(text).render(REQUEST)


def test_bytes_of_a_request_that_are_no_utf8_survive() -> None:
    odd = SimpleNamespace(req_method="\udcff", conn_client_port=0, vars={})
    assert template("a${req.method}").render(odd) == "a\udcff"


def test_an_error_may_name_its_field() -> None:
    assert str(InterpolationError("x", "broken", field="body")) == "body: broken"


@given(st.text(alphabet="${}'\"\\ar.b(){}[]:1 ", max_size=24))
def test_any_text_is_a_template_or_a_template_error(text: str) -> None:
    parsed: Any
    try:
        parsed = parse_template(text, ENVIRONMENT)
    except TemplateError as error:
        ends = [finding.end for finding in error.findings]
    else:
        ends = [finding.end for finding in getattr(parsed, "warnings", ())]
    assert all(0 <= end <= len(text) for end in ends)


@given(st.text(alphabet="ab$ {}é", max_size=10), st.text(max_size=10))
def test_a_written_string_is_rendered_as_it_is(before: str, value: str) -> None:
    if "${" in before or before.endswith("$"):
        return
    request = SimpleNamespace(req_method=value, conn_client_port=0, vars={})
    assert template(before + "${req.method}").render(request) == before + value
