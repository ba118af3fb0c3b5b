"""`type(x)`."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from policy.cel import CelError, Duration, FieldMap, Timestamp, TypeValue, Uint
from policy.cel.kinds import type_of


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (True, "bool"),
        (1, "int"),
        (Uint(1), "uint"),
        (1.0, "double"),
        ("", "string"),
        (b"", "bytes"),
        (None, "null_type"),
        ([], "list"),
        ((), "list"),
        ({}, "map"),
        (MappingProxyType({}), "map"),
        (FieldMap({}), "map"),
        (Timestamp(0), "google.protobuf.Timestamp"),
        (Duration(0), "google.protobuf.Duration"),
        (TypeValue("int"), "type"),
    ],
    ids=str,
)
def test_a_value_has_the_type_that_the_language_names(value: Any, name: str) -> None:
    assert type_of(value) == TypeValue(name)


def test_what_is_no_value_of_the_language_has_no_type() -> None:
    with pytest.raises(CelError):
        type_of(object())
