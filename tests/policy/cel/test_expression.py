from __future__ import annotations

from typing import Any

import pytest

from policy.cel import (
    CelError,
    Duration,
    ExpressionError,
    Timestamp,
    Uint,
    compile_expression,
)
from policy.cel.types import BOOL, INT, STRING
from policy.phase import Phase
from tests.policy.cel.requests import REQUEST, Values, compiled, environment, plain, value_of


def test_an_expression_tells_its_type_and_text() -> None:
    expression = compile_expression("size(req.method)", REQUEST)
    assert (expression.type, expression.text) == (INT, "size(req.method)")


def test_expect_refuses_another_type() -> None:
    with pytest.raises(ExpressionError) as refused:
        compile_expression("req.method", REQUEST, expect=BOOL)
    assert [finding.code for finding in refused.value.findings] == ["wrong-result-type"]


def test_expect_bool_of_a_dynamic_value_is_checked_when_it_runs() -> None:
    expression = compiled("vars.flag", expect=BOOL)
    assert expression.evaluate(Values(vars={"flag": True})) is True
    with pytest.raises(CelError):
        expression.evaluate(Values(vars={"flag": "true"}))


def test_all_mistakes_of_an_expression_are_reported_in_text_order() -> None:
    with pytest.raises(ExpressionError) as refused:
        compiled("req.pth == 'a' && conn.ip == 'b' && req.method == true")
    assert [f.code for f in refused.value.findings] == [
        "unknown-variable",
        "unknown-variable",
        "never-equal",
    ]
    assert [f.start for f in refused.value.findings] == [0, 18, 36]


def test_a_name_can_be_text_and_namespace() -> None:
    assert value_of("req.url.startsWith('https://') && req.url.path == '/admin/users'")
    assert value_of("conn.client_ip == '203.0.113.7' && !conn.client_ip.is_tor_node")


def test_a_response_variable_is_there_in_the_response_phase() -> None:
    where = environment(Phase.ON_HTTP_RESPONSE)
    expression = compile_expression("res.status_code >= 400", where, expect=BOOL)
    assert expression.evaluate(Values()) is True


def test_what_no_operator_foresaw_is_still_a_cel_error() -> None:
    class Broken:
        @property
        def req_method(self) -> str:
            raise ZeroDivisionError

    with pytest.raises(CelError) as failed:
        compiled("req.method == 'GET'").evaluate(Broken())
    assert failed.value.code == "expression-failed"
    assert isinstance(failed.value.__cause__, ZeroDivisionError)


NULL_SAFE: tuple[tuple[str, Any], ...] = (
    ("req.headers['x-none']", []),
    ("req.headers['x-none'][0]", ""),
    ("req.headers['x-none'][3]", ""),
    ("req.headers['X-Tag'][1]", "b"),
    ("req.headers['X-' + 'TAG'][1]", "b"),
    ("'X-Tag' in req.headers", True),
    ("has(req.headers['X-Tag'])", True),
    ("has(req.headers.host)", True),
    ("req.url.query_params['none'][0]", ""),
    ("req.url.query_params['q'][0]", "1"),
    ("vars.unset", None),
    ("vars.unset == 'a'", False),
    ("vars.unset != 'a'", True),
    ("has(vars.unset)", False),
    ("actions.ngrok.restrict_ips.action", None),
    ("actions.ngrok.restrict_ips.error.code", None),
    ("actions.ngrok.restrict_ips.action == 'deny'", False),
    ("has(actions.ngrok.restrict_ips.action)", False),
    ("req.ts.body_received == null", True),
    ("getReqHeader('none')[0]", ""),
    ("getReqHeader('x-tag')", ["a", "b"]),
    ("hasReqHeader('HOST')", True),
    ("getQueryParam('q')[0] == '1' && hasQueryParam('q')", True),
    ("hasReqCookie('session')", True),
    ("rand.double()", 0.25),
    ("rand.int()", 1),
    ("rand.int(3, 9)", 9),
    ("secrets.get('main', 'key')", "s3cret"),
)


@pytest.mark.parametrize(("text", "wanted"), NULL_SAFE, ids=[text for text, _ in NULL_SAFE])
def test_missing_request_data_reads_as_nothing(text: str, wanted: Any) -> None:
    assert value_of(text) == wanted


FAILING = (
    ("vars.unset.startsWith('a')", "no-such-overload"),
    ("vars.a.b.c", "no-such-key"),
    ("vars.unset.field", "null-value"),
    ("actions.ngrok.restrict_ips.action.startsWith('a')", "no-such-overload"),
    ("test.numbers[3]", "index-out-of-range"),
    ("{'a': 1}['b']", "no-such-key"),
    ("1 / (conn.client_port - conn.client_port)", "division-by-zero"),
    ("conn.client_port * 9223372036854775807", "overflow"),
    ("uint(conn.client_port) - 99999u", "overflow"),
    ("-(-9223372036854775807 - conn.client_port / conn.client_port)", "overflow"),
    (
        "timestamp('9999-12-31T23:59:59Z') + (conn.ts.start - conn.ts.start + duration('1h'))",
        "out-of-range",
    ),
    ("string(test.bytes)", "invalid-utf8"),
    ("test.text.charAt(9)", "index-out-of-range"),
    ("test.text.matches(test.text + '(')", "invalid-regex"),
    ("rand.int(2, 1)", "bad-argument"),
    ("secrets.get('main', 'none')", "unknown-secret"),
    ("timestamp(test.text)", "bad-conversion"),
    ("test.text.decodeJson()", "bad-json"),
    ("req.ts.body_received.getHours()", "no-such-overload"),
)


@pytest.mark.parametrize(("text", "code"), FAILING, ids=[text for text, _ in FAILING])
def test_a_failure_at_run_time_has_a_code(text: str, code: str) -> None:
    with pytest.raises(CelError) as failed:
        compiled(text).evaluate(Values(vars={"a": {}}))
    assert failed.value.code == code


def test_an_error_message_shows_no_value_of_the_request() -> None:
    with pytest.raises(CelError) as failed:
        compiled("test.text.decodeJson()").evaluate(Values(test_text="hunter2"))
    assert "hunter2" not in str(failed.value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("vars.bad > 1 && false", False),
        ("false && vars.bad > 1", False),
        ("vars.bad > 1 || true", True),
        ("true || vars.bad > 1", True),
        ("(vars.bad > 1 || vars.bad > 2) || req.method == 'GET'", True),
        ("test.numbers.exists(n, 6 / (n - 3) == -3)", True),
        ("test.numbers.all(n, 6 / (n - 3) == 7)", False),
    ],
)
def test_an_error_counts_only_where_the_rest_decides_nothing(text: str, wanted: object) -> None:
    assert value_of(text) is wanted


@pytest.mark.parametrize(
    "text", ["vars.bad > 1 && true", "false || vars.bad > 1", "vars.bad > 1 ? true : true"]
)
def test_an_error_that_decides_is_raised(text: str) -> None:
    with pytest.raises(CelError):
        value_of(text)


COMPARED: tuple[tuple[str, bool], ...] = (
    ("conn.client_port == 51324.0", True),
    ("conn.client_port < 51324.5", True),
    ("test.uint == 7", True),
    ("dyn(1) == true", False),
    ("dyn(true) == 1", False),
    ("dyn('a') == b'a'", False),
    ("[1, 2.0, 3u] == [1u, 2, 3.0]", True),
    ("dyn([1, true]) == dyn([1, 1])", False),
    ("{'a': [1]} == {'a': [1.0]}", True),
    ("{true: 'a'} == {true: 'a'}", True),
    ("dyn({1: 'a'}) == dyn({true: 'a'})", False),
    ("dyn(true) in {1: 'a'}", False),
    ("dyn(true) in [1, 2]", False),
    ("dyn(1) in [true]", False),
    ("test.double / 0.0 > 1e308", True),
    ("double('NaN') == double('NaN')", False),
    ("conn.client_port == '51324'", True),
    ("conn.client_port != '80'", True),
    ("conn.client_port >= '300'", True),
    ("conn.ts.start > timestamp('2026-01-01T00:00:00Z')", True),
    ("duration('1h') == duration('3600s')", True),
    ("type(test.uint) == uint && type(vars) == map", True),
    ("req.method in ['GET', 'HEAD'] && conn.client_port in [1, 51324]", True),
    ("req.method in ['GET'] && !(req.method in [])", True),
    ("test.any in test.numbers", False),
)


@pytest.mark.parametrize(("text", "wanted"), COMPARED, ids=[text for text, _ in COMPARED])
def test_comparison(text: str, wanted: bool) -> None:  # noqa: FBT001
    assert value_of(text) is wanted


DYNAMIC: tuple[tuple[str, Any, Any], ...] = (
    ("type(test.any) == map", {"a": 1}, True),
    ("test.any.size()", [1, 2], 2),
    ("test.any.size()", {"a": 1}, 1),
    ("test.any.contains('a')", ["xa"], True),
    ("test.any.contains('a')", "xa", True),
    ("test.any.all(x, x > 0)", (1, 2), True),
    ("test.any[0]", [7], 7),
    ("test.any[1u]", [7, 8], 8),
    ("test.any['k']", {"k": 1}, 1),
    ("test.any.encodeQueryString()", {"k": 1}, "k=1"),
    ("test.any.encodeJson()", ("a", 1), '["a",1]'),
    ("has(test.any.k) || has(test.any['k'])", {"j": 1}, False),
    ("has(test.any[1])", [1], False),
    ("has(test.any.k)", None, False),
    ("has(test.any[0])", None, False),
    ("test.any + test.any", [1], [1, 1]),
    ("test.any + test.any", 2.5, 5.0),
    ("test.any + test.any", b"a", b"aa"),
    ("test.any - test.any", Uint(3), Uint(0)),
    ("test.any - test.any", Timestamp(5), Duration(0)),
    ("test.any - duration('1ns')", Timestamp(5), Timestamp(4)),
    ("test.any + duration('1ns')", Duration(1), Duration(2)),
    ("test.any * test.any", 1.5, 2.25),
    ("test.any / test.any", 5, 1),
    ("test.any % 3", 5, 2),
    ("-test.any", 1.5, -1.5),
    ("!test.any", True, False),
    ("test.any < 2", 1.5, True),
    ("test.any >= 'a'", "b", True),
    ("string(test.any)", False, "false"),
    ("test.any.getHours()", Duration(3_600_000_000_000), 1),
)


@pytest.mark.parametrize(("text", "value", "wanted"), DYNAMIC, ids=lambda part: str(part)[:40])
def test_a_value_of_unknown_type_does_what_its_type_does(
    text: str, value: Any, wanted: Any
) -> None:
    found = value_of(text, test_any=value)
    assert found == wanted
    assert type(found) is type(wanted)


REFUSED: tuple[tuple[str, Any], ...] = (
    ("test.any.size()", 1),
    ("test.any[0]", 1),
    ("test.any['a']", [1]),
    ("test.any[0.5]", [1]),
    ("test.any.k", 1),
    ("test.any.k", [1]),
    ("has(test.any.k)", 1),
    ("has(test.any[0])", 1),
    ("test.any.all(x, x)", 1),
    ("test.any.all(x, x)", [1]),
    ("test.any in test.any", 1),
    ("test.any + 1", "a"),
    ("test.any + test.any", {"a": 1}),
    ("test.any - test.any", "a"),
    ("test.any % test.any", 1.5),
    ("-test.any", "a"),
    ("!test.any", 1),
    ("test.any < 1", None),
    ("test.any ? 1 : 2", 1),
    ("type(test.any)", object()),
    ("string(test.any)", [1]),
    ("test.any.getHours()", 1),
    ("{test.any: 1}", 1.5),
    ("{test.any: 1, 'a': 2}", "a"),
)


@pytest.mark.parametrize(("text", "value"), REFUSED, ids=lambda part: str(part)[:40])
def test_a_value_of_the_wrong_type_is_refused_when_it_runs(text: str, value: Any) -> None:
    with pytest.raises(CelError):
        value_of(text, test_any=value)


def test_a_text_that_is_no_number_is_unequal_to_any() -> None:
    expression = compiled("conn.client_port == test.text")
    assert expression.evaluate(Values(test_text="x")) is False
    assert expression.evaluate(Values(test_text="51324")) is True
    with pytest.raises(CelError):
        compiled("conn.client_port < test.text").evaluate(Values(test_text="x"))


def test_macros_may_use_the_same_name_twice() -> None:
    assert value_of("[[1, 2], [3]].map(x, x.map(x, x * 2))") == [[2, 4], [6]]


def test_a_leading_dot_skips_local_names() -> None:
    assert value_of("['a'].exists(req, .req.method == 'GET')") is True


def test_equal_keys_keep_their_order_when_sorted() -> None:
    assert value_of("['b1', 'a', 'b2'].sortBy(s, s.charAt(0) == 'b' ? 1 : 0)") == ["a", "b1", "b2"]


def test_sorting_values_of_several_types_is_an_error() -> None:
    with pytest.raises(CelError):
        value_of("[test.any, test.text].sort()")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[conn.ts.start, timestamp('2020-01-01T00:00:00Z')].sort()[0].getFullYear()", 2020),
        ("[2.5, 1.5].sort()", [1.5, 2.5]),
        ("[true, false].sort()", [False, True]),
        ("[1, 1.0, 1u, true, 'a', 'a'].distinct().size()", 3),
        ("[[1], [1.0]].distinct()", [[1]]),
        ("[1, 2, 3].slice(1, 3)", [2, 3]),
    ],
)
def test_lists(text: str, wanted: Any) -> None:
    assert plain(value_of(text)) == wanted


def test_an_interpolation_outside_of_strings_is_read_as_brackets() -> None:
    expression = compiled("${req.method} + '!' == 'GET!'")
    assert expression.evaluate(Values()) is True
    assert [finding.code for finding in expression.warnings] == ["needless-interpolation"]


def test_a_constant_is_computed_once() -> None:
    assert value_of("timestamp('2026-01-01T00:00:00Z')") == Timestamp(1_767_225_600_000_000_000)
    assert compiled("'a'.upperAscii()").type == STRING


@pytest.mark.parametrize(
    "text",
    [
        "dyn(1).startsWith('a')",
        "dyn(1).sha256()",
        "dyn(1).join(',')",
        "[].join(dyn(1))",
        "inCidrRange(req.host, dyn(1))",
        "dyn(1).matches('a')",
        "'a'.matches(dyn(1))",
    ],
)
def test_a_constant_behind_dyn_is_computed_when_the_expression_runs(text: str) -> None:
    with pytest.raises(CelError):
        compiled(text).evaluate(Values())


def test_what_is_no_text_among_networks_is_a_doubt() -> None:
    expression = compiled("inCidrRanges(conn.client_ip, [1, '203.0.113.0/24'])")
    assert [finding.code for finding in expression.warnings] == ["not-a-network"]
    assert expression.evaluate(Values()) is True


class TestExplain:
    def test_every_part_has_its_value(self) -> None:
        expression = compiled("req.method == 'GET' && size(req.host) > 3")
        parts = [(part.text, part.value) for part in expression.explain(Values())]
        assert parts == [
            ("req.method == 'GET' && size(req.host) > 3", True),
            ("req.method == 'GET'", True),
            ("req.method", "GET"),
            ("size(req.host) > 3", True),
            ("size(req.host)", 15),
            ("req.host", "app.example.com"),
        ]

    def test_a_part_that_fails_shows_its_error(self) -> None:
        parts = compiled("vars.n > 1 || true").explain(Values())
        assert [part.error is None for part in parts] == [True, False, True, True]

    def test_a_secret_is_never_shown(self) -> None:
        expression = compiled("secrets.get('main', 'key') + '!' == req.method")
        shown = [str(part.value) for part in expression.explain(Values())]
        assert not any("s3cret" in text for text in shown)

    def test_a_loop_shows_what_it_goes_over(self) -> None:
        parts = compiled("test.numbers.exists(n, n == 3)").explain(Values())
        assert [part.text for part in parts] == ["test.numbers.exists(n, n == 3)", "test.numbers"]
