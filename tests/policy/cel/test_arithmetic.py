"""Arithmetic in CEL's bounds: what overflows is an error, never another number."""

from __future__ import annotations

from typing import Any

import pytest

from policy.cel import CelError
from policy.cel.values import Duration, Timestamp, Uint
from tests.policy.cel.requests import assert_gives, failure_code, value_of


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1 / (conn.client_port - conn.client_port)", "division-by-zero"),
        ("conn.client_port * 9223372036854775807", "overflow"),
        ("uint(conn.client_port) - 99999u", "overflow"),
        ("-(-9223372036854775807 - conn.client_port / conn.client_port)", "overflow"),
        (
            "timestamp('9999-12-31T23:59:59Z') + (conn.ts.start - conn.ts.start + duration('1h'))",
            "out-of-range",
        ),
    ],
    ids=str,
)
def test_what_has_no_result_is_an_error(text: str, code: str) -> None:
    assert failure_code(text) == code


@pytest.mark.parametrize(
    ("text", "value", "wanted"),
    [
        ("test.any + test.any", [1], [1, 1]),
        ("test.any + test.any", 2.5, 5.0),
        ("test.any + test.any", b"a", b"aa"),
        ("test.any - test.any", Uint(3), Uint(0)),
        ("test.any - test.any", Timestamp(ns=5), Duration(ns=0)),
        ("test.any - duration('1ns')", Timestamp(ns=5), Timestamp(ns=4)),
        ("test.any + duration('1ns')", Duration(ns=1), Duration(ns=2)),
        ("test.any * test.any", 1.5, 2.25),
        ("test.any / test.any", 5, 1),
        ("test.any % 3", 5, 2),
        ("-test.any", 1.5, -1.5),
    ],
    ids=str,
)
def test_operands_of_unknown_type_do_what_their_types_do(
    text: str, value: Any, wanted: Any
) -> None:
    assert_gives(text, wanted, test_any=value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("test.any + 1", "a"),
        ("test.any + test.any", {"a": 1}),
        ("test.any - test.any", "a"),
        ("test.any % test.any", 1.5),
        ("-test.any", "a"),
    ],
    ids=str,
)
def test_operands_that_do_not_fit_are_errors(text: str, value: Any) -> None:
    with pytest.raises(CelError):
        value_of(text, test_any=value)
