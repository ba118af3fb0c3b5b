from __future__ import annotations

import pytest

from policy.cel import (
    CelError,
    ExpressionError,
    compile_expression,
)
from policy.cel.types import BOOL, INT
from policy.phase import Phase
from tests.policy.cel.requests import REQUEST, Values, compiled, environment, failure_code


def test_an_expression_tells_its_type_and_text() -> None:
    expression = compile_expression("size(req.method)", REQUEST)
    assert (expression.type, expression.text) == (INT, "size(req.method)")


def test_expect_refuses_another_type() -> None:
    """T-EX-8."""
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


def test_a_response_variable_is_there_in_the_response_phase() -> None:
    """T-EX-10: and in no earlier one."""
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


def test_an_error_message_shows_no_value_of_the_request() -> None:
    with pytest.raises(CelError) as failed:
        compiled("test.text.decodeJson()").evaluate(Values(test_text="hunter2"))
    assert "hunter2" not in str(failed.value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("string(test.bytes)", "invalid-utf8"),
        ("test.text.charAt(9)", "index-out-of-range"),
        ("test.text.matches(test.text + '(')", "invalid-regex"),
        ("timestamp(test.text)", "bad-conversion"),
        ("test.text.decodeJson()", "bad-json"),
        ("req.ts.body_received.getHours()", "no-such-overload"),
    ],
    ids=str,
)
def test_a_failure_at_run_time_has_a_code(text: str, code: str) -> None:
    assert failure_code(text) == code
