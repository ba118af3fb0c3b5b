from __future__ import annotations

import pytest

from policy.cel import Duration, FieldMap, Timestamp, TypeValue, Uint
from policy.cel.types import DYN, INT, NULL, STRING, ListType, MapType, NullableType, ObjectType
from policy.cel.values import CelMap


def test_a_field_map_ignores_case_and_hides_values() -> None:
    fields = FieldMap({"authorization": ["secret"]})
    assert fields["Authorization"] == ["secret"]
    assert "AUTHORIZATION" in fields
    assert not fields.__contains__(1)
    assert list(fields) == ["authorization"]
    assert len(fields) == 1
    assert "secret" not in repr(fields)


def test_true_and_one_are_different_keys() -> None:
    made = CelMap([(True, "a"), (1, "b")])
    assert (made[True], made[1], made[1.0], made[Uint(1)]) == ("a", "b", "b", "b")
    assert list(made) == [True, 1]
    assert len(made) == 2
    assert False not in made
    with pytest.raises(KeyError):
        made["x"]
    assert repr(made) == "CelMap([True, 1])"


def test_values_have_an_order_and_a_readable_form() -> None:
    assert Timestamp(1) < Timestamp(2)
    assert Duration(-1) < Duration(0)
    assert repr(Uint(3)) == "3u"
    assert TypeValue("int") == TypeValue("int")


def test_types_show_as_an_author_knows_them() -> None:
    assert str(MapType(STRING, ListType(INT))) == "map(string, list(int))"
    assert str(NullableType(STRING)) == "string or null"
    assert str(ObjectType("cookie", {})) == "cookie"
    assert ListType(STRING, missing="") == ListType(STRING)
    assert (str(DYN), str(NULL)) == ("dyn", "null_type")
