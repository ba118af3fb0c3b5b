"""Which type fits where, and what type parameters stand for."""

from __future__ import annotations

import pytest

from policy.cel.assign import Bindings, fits, joined, substitute
from policy.cel.types import (
    DYN,
    INT,
    NULL,
    REQUIRED,
    STRING,
    CelType,
    ListType,
    MapType,
    NullableType,
    ObjectType,
    TypeParameter,
)

A = TypeParameter("A")
RESULT = ObjectType("result", {}, nullable=True)


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        (INT, INT, True),
        (INT, STRING, False),
        (DYN, STRING, True),
        (INT, DYN, True),
        (ListType(INT), ListType(INT, missing=0), True),
        (ListType(INT), ListType(STRING), False),
        (ListType(DYN), ListType(STRING), True),
        (MapType(STRING, INT), MapType(STRING, INT), True),
        (MapType(STRING, INT), MapType(INT, INT), False),
        (NullableType(INT), INT, True),
        (NullableType(INT), NULL, True),
        (NullableType(INT), STRING, False),
        (INT, NullableType(INT), True),
        (STRING, NullableType(INT), False),
        (NULL, NullableType(INT), True),
        (RESULT, NULL, True),
        (ObjectType("result", {}), NULL, False),
    ],
    ids=str,
)
def test_a_type_fits_or_not(found: CelType, wanted: CelType, expected: bool) -> None:  # noqa: FBT001
    assert fits(found, wanted) is expected


def test_the_first_argument_that_decides_binds_a_parameter() -> None:
    bindings: Bindings = {}
    assert fits(DYN, A, bindings)
    assert fits(ListType(INT), ListType(A), bindings)
    assert bindings == {"A": INT}
    assert not fits(STRING, A, bindings)


def test_bound_parameters_are_replaced_and_unbound_ones_dynamic() -> None:
    wanted = MapType(A, ListType(TypeParameter("B"), missing=""), missing=None, folded=True)
    made = substitute(wanted, {"A": STRING})
    assert made == MapType(STRING, ListType(DYN))
    assert isinstance(made, MapType)
    assert (made.missing, made.folded) == (None, True)


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ([], DYN),
        ([INT, INT], INT),
        ([INT, STRING], DYN),
        ([ListType(INT), ListType(STRING)], ListType(DYN)),
        ([MapType(STRING, INT), MapType(STRING, STRING)], MapType(STRING, DYN)),
    ],
    ids=str,
)
def test_types_join_to_the_one_that_covers_them(types: list[CelType], expected: CelType) -> None:
    assert joined(types) == expected


def test_lists_that_miss_differently_join_to_one_that_fails() -> None:
    made = joined([ListType(STRING, missing=""), ListType(STRING, missing=None)])
    assert isinstance(made, ListType)
    assert made.missing is REQUIRED
