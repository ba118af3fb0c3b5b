from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.jose.strict_json import MAX_DEPTH, JsonError, parse_list, parse_object

REFUSED = {
    "duplicate member": b'{"a": 1, "a": 1}',
    "duplicate member inside": b'{"a": [{"b": 1, "b": 2}]}',
    "duplicate by escape": b'{"a": 1, "\\u0061": 2}',
    "a list": b"[1]",
    "a text": b'"a"',
    "nothing": b"",
    "two objects": b"{}{}",
    "NaN": b'{"a": NaN}',
    "infinity": b'{"a": -Infinity}',
    "beyond a double": b'{"a": 1e400}',
    "beyond a double, whole": b'{"a": ' + b"9" * 400 + b"}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "not UTF-8": b'{"a": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "half a surrogate pair": b'{"a": "\\ud800"}',
    "a byte in disguise": b'{"\\udcff": 1}',
    "duplicate beside escapes": b'{"a": "\\\\", "b": "\\"", "b": "\\\\\\""}',
    "duplicate with a text for a list": b'{"a": ["b", "c"], "a": "b"}',
    "a comment": b"{} // no",
    "a trailing comma": b'{"a": 1,}',
    "too deep": b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}",
    "10,000 lists": b'{"a":' + b"[" * 10_000,
    "10,000 lists, closed": b'{"a":' + b"[" * 1_900 + b"]" * 1_900 + b"}",
    "a million digits": b'{"a": ' + b"9" * 1_000_000 + b"}",
    "beyond a double, in a list": b'{"a": [1e400]}',
    "100,000 values": b'{"a": [' + b"1," * 100_000 + b"1]}",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_can_be_read_in_two_ways_is_refused(data: bytes) -> None:
    with pytest.raises(JsonError):
        parse_object(data)


def test_an_object_is_read() -> None:
    text = '{"a": [1, -2.5, true, null, "\\ud83d\\ude00", {"b": {}}], "ü": "[[["}'
    assert parse_object(text.encode()) == json.loads(text)


@pytest.mark.parametrize("before", [b"", b" ", b"\r\n\t "])
@pytest.mark.parametrize("behind", [b"", b" ", b"\r\n\t "])
def test_white_space_around_is_skipped(before: bytes, behind: bytes) -> None:
    assert parse_object(before + b'{"a": "\\/"}' + behind) == {"a": "/"}
    for other in (b"\x0b", b"\xc2\xa0", b"}", b"{}", b"1", b"\x00"):
        with pytest.raises(JsonError):
            parse_object(before + b"{}" + behind + other)
        with pytest.raises(JsonError):
            parse_object(other + before + b"{}" + behind)


def test_a_list_is_read_as_strictly() -> None:
    assert parse_list(b'[{"a": 1}, 2]') == [{"a": 1}, 2]
    for data in (b"{}", b"1", b'[{"a": 1, "a": 2}]', b"[" * 10_000, b"[NaN]"):
        with pytest.raises(JsonError):
            parse_list(data)


def test_numbers_beyond_64_bits_are_doubles() -> None:
    read = parse_object(b'{"a": 9223372036854775807, "b": 9223372036854775808, "c": 1e300}')
    assert read == {"a": 2**63 - 1, "b": 2.0**63, "c": 1e300}
    assert [type(each) for each in read.values()] == [int, float, float]


def test_the_deepest_allowed_nesting_is_read() -> None:
    depth = MAX_DEPTH - 1
    data = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
    assert parse_object(data) == json.loads(data)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert len(parse_object(b'{"a": [' + b",".join([b"[]"] * 50) + b"]}")["a"]) == 50


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=5), ANY_JSON, max_size=4))
def test_what_a_writer_writes_is_read_the_same(value: dict[str, Any]) -> None:
    assert parse_object(json.dumps(value).encode()) == value


# Names and texts as they are written: plain, with escapes, and with what looks like a mark.
WRITTEN = st.lists(
    st.sampled_from(["a", "b", "ü", r"\"", r"\\", r"\u0061", r"\u0022", r"\n", "[", ",", ":"]),
    max_size=3,
).map(lambda parts: '"' + "".join(parts) + '"')
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70)
ANY_TEXT = st.recursive(
    WRITTEN | NUMBERS.map(json.dumps) | st.sampled_from(["true", "false", "null", "1E2", "-0"]),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda parts: f"[{','.join(parts)}]")
        | st.lists(st.tuples(WRITTEN, inner), max_size=4).map(
            lambda pairs: "{" + ", ".join(f"{name}: {value}" for name, value in pairs) + "}"
        )
    ),
    max_leaves=12,
)


def only_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("twice")
    return dict(pairs)


def whole(digits: str) -> float:
    return int(digits) if -(2**63) <= int(digits) < 2**63 else float(digits)


@given(ANY_TEXT)
def test_a_member_twice_is_refused_and_nothing_else(text: str) -> None:
    data = f'{{"value": {text}}}'.encode()
    try:
        wanted = json.loads(data, object_pairs_hook=only_once, parse_int=whole)
    except ValueError:
        with pytest.raises(JsonError, match="twice"):
            parse_object(data)
    else:
        assert repr(parse_object(data)) == repr(wanted)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 40))
def test_numbers_are_read_to_the_last_digit(number: float, digits: int) -> None:
    for written in (repr(number), f"{number:.{digits}e}"):
        if math.isfinite(float(written)):
            assert parse_list(f"[{written}]".encode()) == [float(written)]


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        assert isinstance(parse_object(data), dict)
    except JsonError:
        pass
