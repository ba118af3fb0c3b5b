"""The static types."""

from __future__ import annotations

import pytest

from policy.cel.types import (
    BOOL,
    DOUBLE,
    DYN,
    ERROR,
    INT,
    STRING,
    UINT,
    CelType,
    ListType,
    NullableType,
    TypeParameter,
    is_dynamic,
    is_numeric,
)


@pytest.mark.parametrize("kind", [DYN, ERROR, NullableType(INT), TypeParameter("A")], ids=str)
def test_only_run_time_knows_some_types(kind: CelType) -> None:
    assert is_dynamic(kind)


@pytest.mark.parametrize("kind", [BOOL, STRING, ListType(DYN)], ids=str)
def test_load_knows_the_others(kind: CelType) -> None:
    assert not is_dynamic(kind)


def test_three_types_are_numbers() -> None:
    assert all(map(is_numeric, (INT, UINT, DOUBLE)))
    assert not is_numeric(BOOL)
    assert not is_numeric(DYN)
