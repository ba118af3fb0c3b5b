from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.cel import CelError, Duration, FieldMap, Timestamp, Uint
from policy.interpolated_text import text_of


@dataclass(frozen=True)
class Identity:
    id: str
    groups: tuple[str, ...]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"),
        ("", ""),
        (7, "7"),
        (-7, "-7"),
        (Uint(7), "7"),
        (1.5, "1.5"),
        (2.0, "2"),
        (0.1 + 0.2, "0.30000000000000004"),
        (True, "true"),
        (False, "false"),
        (None, ""),
        (b"caf\xc3\xa9", "café"),
        (Timestamp(1_719_243_000_000_000_000), "2024-06-24T15:30:00Z"),
        (Timestamp(1), "1970-01-01T00:00:00.000000001Z"),
        (Duration(90_000_000_000), "90s"),
        ([], ""),
        (["a", "b"], "a, b"),
        (("a",), "a"),
        ([1, True, None, "x"], "1, true, , x"),
        ([["a"], "b"], '[["a"],"b"]'),
        ({"a": [1, 2]}, '{"a":[1,2]}'),
        ([{"é": None}], '[{"é":null}]'),
        (FieldMap({"x": ["1"]}), '{"x":["1"]}'),
        (Identity("u", ("g",)), '{"id":"u","groups":["g"]}'),
    ],
    ids=repr,
)
def test_each_type_has_one_text(value: object, text: str) -> None:
    """Language spec, section 2.4."""
    assert text_of(value) == text


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("value", [b"\xff", nested(5000), ["x" * 100_000] * 100 + [[]]])
def test_what_has_no_text_is_an_error_of_the_expression(value: object) -> None:
    with pytest.raises(CelError):
        text_of(value)


scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text())


@given(st.dictionaries(st.text(), st.recursive(scalars, st.lists, max_leaves=8)))
def test_a_map_is_json(value: object) -> None:
    assert json.loads(text_of(value)) == value
