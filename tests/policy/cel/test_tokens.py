"""Cutting an expression into tokens."""

from __future__ import annotations

from tests.policy.cel.requests import Values, compiled


def test_an_interpolation_outside_of_strings_is_read_as_brackets() -> None:
    expression = compiled("${req.method} + '!' == 'GET!'")
    assert expression.evaluate(Values()) is True
    assert [finding.code for finding in expression.warnings] == ["needless-interpolation"]
