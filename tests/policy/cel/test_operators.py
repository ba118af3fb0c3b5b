"""What operators take and give, by static types."""

from __future__ import annotations

import pytest

from policy.cel.operators import (
    arithmetic_result,
    is_number_and_text,
    may_be_equal,
    may_be_ordered,
    negation_result,
)
from policy.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    CelType,
    ListType,
    MapType,
    NullableType,
)


@pytest.mark.parametrize(
    ("left", "operator", "right", "result"),
    [
        (INT, "+", INT, INT),
        (INT, "+", UINT, None),
        (DOUBLE, "%", DOUBLE, None),
        (UINT, "%", UINT, UINT),
        (STRING, "+", STRING, STRING),
        (STRING, "-", STRING, None),
        (BYTES, "+", STRING, None),
        (TIMESTAMP, "-", TIMESTAMP, DURATION),
        (TIMESTAMP, "+", TIMESTAMP, None),
        (DURATION, "+", TIMESTAMP, TIMESTAMP),
        (ListType(INT), "+", ListType(INT), ListType(INT)),
        (ListType(INT), "+", ListType(STRING), ListType(DYN)),
        (ListType(INT), "-", ListType(INT), None),
        (DYN, "*", INT, INT),
        (DYN, "+", ListType(INT), DYN),
        (NullableType(TIMESTAMP), "+", DURATION, DYN),
        (DYN, "%", STRING, None),
    ],
    ids=str,
)
def test_arithmetic_takes_equal_types_or_what_may_be_so(
    left: CelType, operator: str, right: CelType, result: CelType | None
) -> None:
    found = arithmetic_result(operator, left, right)
    assert (found is None) == (result is None)
    if result is not None and result != DYN:
        assert found in (result, DYN)


@pytest.mark.parametrize(
    ("operator", "operand", "result"),
    [
        ("!", BOOL, BOOL), ("!", INT, None), ("!", DYN, BOOL), ("-", INT, INT), ("-", UINT, None),
        ("-", DOUBLE, DOUBLE), ("-", STRING, None), ("-", DYN, DYN),
    ],
    ids=str,
)  # fmt: skip
def test_negation(operator: str, operand: CelType, result: CelType | None) -> None:
    assert negation_result(operator, operand) == result


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (INT, DOUBLE, True), (INT, STRING, False), (STRING, STRING, True), (BOOL, BOOL, True),
        (ListType(INT), ListType(INT), False), (DYN, INT, True), (DYN, ListType(INT), False),
    ],
    ids=str,
)  # fmt: skip
def test_order(left: CelType, right: CelType, expected: bool) -> None:  # noqa: FBT001
    assert may_be_ordered(left, right) is expected
    assert may_be_ordered(right, left) is expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (INT, UINT, True), (INT, BOOL, False), (DYN, BOOL, True), (STRING, BYTES, False),
        (ListType(INT), ListType(DOUBLE), True), (ListType(INT), ListType(STRING), False),
        (MapType(STRING, INT), MapType(STRING, UINT), True),
        (MapType(STRING, INT), MapType(BOOL, INT), False),
    ],
    ids=str,
)  # fmt: skip
def test_equality(left: CelType, right: CelType, expected: bool) -> None:  # noqa: FBT001
    assert may_be_equal(left, right) is expected
    assert may_be_equal(right, left) is expected


def test_only_an_int_meets_a_text() -> None:
    assert is_number_and_text(INT, STRING)
    assert is_number_and_text(STRING, INT)
    assert not is_number_and_text(UINT, STRING)
