"""Values of the language as JSON and as literals."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from penstock.json_value import json_text, json_value, literal
from policy.cel.values import CelMap, Duration, FieldMap, Timestamp, TypeValue, Uint


@dataclass(frozen=True, slots=True)
class Result:
    action: str
    matches: tuple[str, ...]


CASES = [
    pytest.param(None, None, "null", id="null"),
    pytest.param(True, True, "true", id="bool-is-no-number"),
    pytest.param(Uint(7), 7, "7", id="uint"),
    pytest.param(1.5, 1.5, "1.5", id="double"),
    pytest.param(float("inf"), "Infinity", '"Infinity"', id="infinity-is-text"),
    pytest.param(float("nan"), "NaN", '"NaN"', id="not-a-number-is-text"),
    pytest.param("gr\u00fc\udcff", "gr\u00fc\ufffd", '"gr\u00fc\ufffd"', id="stray-byte"),
    pytest.param(b"\x00hi", "AGhp", 'b"\\u0000hi"', id="bytes"),
    pytest.param(
        Timestamp(1_500_000_000), "1970-01-01T00:00:01.5Z",
        'timestamp("1970-01-01T00:00:01.5Z")', id="timestamp",
    ),
    pytest.param(Duration(90_000_000_000), "90s", 'duration("90s")', id="duration"),
    pytest.param(TypeValue("int"), "int", "int", id="type"),
    pytest.param(
        FieldMap({"a": ["1"]}), {"a": ["1"]}, '{"a": ["1"]}', id="header-fields"
    ),
    pytest.param(CelMap([(True, 1), (2, "x")]), {"true": 1, "2": "x"},
                 '{"true": 1, "2": "x"}', id="keys-of-any-type"),
    pytest.param(
        Result("allow", ("a",)), {"action": "allow", "matches": ["a"]},
        '{"action": "allow", "matches": ["a"]}', id="result",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected", "_literal"), CASES)
def test_a_value_is_what_json_can_hold(value: object, expected: object, _literal: str) -> None:
    assert json_value(value) == expected
    json.dumps(json_value(value), allow_nan=False).encode("utf-8")


@pytest.mark.parametrize(("value", "_expected", "text"), CASES)
def test_a_literal_reads_like_an_expression(value: object, _expected: object, text: str) -> None:
    assert literal(value) == text


def test_bytes_become_text_that_any_reader_takes() -> None:
    assert json_text(b"a\xffb") == "a\ufffdb"
