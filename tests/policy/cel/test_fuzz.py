"""Whatever the text or the value: an answer or our own error, nothing else."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.cel import CelError, Expression, ExpressionError
from policy.cel.values import FieldMap, Timestamp
from tests.policy.cel.requests import VARIABLES, Values, compiled

WORDS = [
    *(name for name, _, _ in VARIABLES),
    "req", "headers", "x", "has", "size", "matches", "map", "all", "exists", "filter", "sortBy",
    "true", "false", "null", "in", "'a'", '"b"', "r'\\d'", "b'x'", "1", "2.5", "3u", "0x1F", "-",
    "+", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||", "!", "?", ":", ".", ",", "(", ")", "[",
    "]", "{", "}", "${", "'${'", "\\", "`a`", "//", "\n", "'''", '"""', "\x00", "é", "\ud800",
]  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=200),
    st.text(st.characters(codec=None, categories=None), max_size=80),
    st.lists(st.sampled_from(WORDS), max_size=40).map("".join),
    st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join),
)


@settings(max_examples=600, deadline=None)
@given(TEXTS)
def test_any_text_is_an_expression_or_has_findings_inside_it(text: str) -> None:
    try:
        expression = compiled(text)
    except ExpressionError as error:
        assert error.findings
        for finding in error.findings:
            assert 0 <= finding.start <= finding.end <= max(len(text), finding.end)
            assert finding.start <= len(text)
    else:
        assert isinstance(expression, Expression)
        with contextlib.suppress(CelError):
            expression.evaluate(Values())


EXPRESSIONS = [
    "test.text == 'a' || test.text.startsWith('b') || test.text.contains('\\u00e9')",
    "test.text.matches('^[^/]+(é|x)?$')",
    "test.text.matches(test.text)",
    "test.text.lower() + test.text.upper() + test.text.trim() + test.text.reverse()",
    "test.text.lowerAscii() + test.text.upperAscii()",
    "test.text.size() + test.text.indexOf('a') + test.text.lastIndexOf('b')",
    "test.text.split('a').join('b').replace('b', test.text)",
    "test.text.split('')",
    "test.text.charAt(1) + test.text.substring(2)",
    "'%s %x'.format([test.text, test.text])",
    "strings.quote(test.text)",
    "url.escape(test.text)",
    "url.unescape(test.text)",
    "url.parse(test.text)",
    "test.text.isURL() || test.text.isQueryString() || test.text.isJson()",
    "test.text.decodeQueryString()",
    "test.text.decodeJson()",
    "[test.text].encodeJson()",
    "{test.text: test.text}.encodeQueryString()",
    "base64.decode(test.text)",
    "test.text.encodeBase64() + hash.sha256(test.text) + test.text.crc64() + test.text.xxhash64()",
    "basic_auth.encode(test.text, test.text)",
    "bytes(test.text).size()",
    "string(bytes(test.text))",
    "int(test.text)",
    "double(test.text)",
    "bool(test.text)",
    "timestamp(test.text)",
    "duration(test.text)",
    "conn.ts.start.getHours(test.text)",
    "inCidrRange(test.text, test.text) || inCidrRange(test.text, '10.0.0.0/8')",
    "test.text.isPrivateIp()",
    "req.headers[test.text][0] + req.url.query_params[test.text][0]",
    "test.text in req.headers || has(req.headers[test.text])",
    "req.headers.map(k, req.headers[k][0])",
    "getReqHeader(test.text)",
    "test.any == test.text || test.any in [test.text]",
    "test.any.field",
    "test.any[0]",
    "test.any['k']",
    "test.any + test.any",
    "-test.any",
    "test.any / test.any",
    "test.any < test.text",
    "test.any.exists(x, x == test.text)",
    "size(test.any)",
    "string(test.any)",
    "type(test.any)",
    "[test.any].sort()",
    "[test.any, test.any].distinct()",
    "[test.any].flatten(3)",
    "json.encode(test.any)",
    "'%s'.format([test.any])",
    "'%d %f %e %b %o'.format([test.any, test.any, test.any, test.any, test.any])",
    "has(test.any.field) && has(test.any['k'])",
    "test.any ? 1 : 2",
    "test.any && test.any",
    "test.bytes + test.bytes",
    "string(test.bytes)",
]
COMPILED = {text: compiled(text) for text in EXPRESSIONS}

ODD_TEXT = st.one_of(
    st.text(max_size=50),
    st.binary(max_size=50).map(lambda data: data.decode("utf-8", "surrogateescape")),
    st.text(st.characters(codec=None, categories=None), max_size=20),
    st.sampled_from(["", "\x00", "%", "%zz", "\udcff", "\ud800", "é" * 3_000, "[" * 2_000, "%s%"]),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    ODD_TEXT,
    st.binary(max_size=20),
    st.just(Timestamp(0)),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=3), inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
    ),
    max_leaves=12,
)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(EXPRESSIONS), ODD_TEXT, ANYTHING, st.binary(max_size=30))
def test_any_value_gives_a_value_or_a_cel_error(
    text: str, odd: str, anything: Any, data: bytes
) -> None:
    values = Values(
        test_text=odd,
        test_any=anything,
        test_bytes=data,
        req_headers=FieldMap({"x": [odd], odd.lower(): [odd, odd]}),
    )
    with contextlib.suppress(CelError):
        COMPILED[text].evaluate(values)


@pytest.mark.parametrize("text", EXPRESSIONS)
@pytest.mark.parametrize(
    "value", ["a" * 1_048_576, "\udcff" * 1_000_000, "\x00" * 1_000_000, "é%=&" * 250_000]
)
def test_a_megabyte_gives_a_value_or_a_cel_error(text: str, value: str) -> None:
    with contextlib.suppress(CelError):
        COMPILED[text].evaluate(Values(test_text=value, test_any=value, test_bytes=b"\xff" * 100))
