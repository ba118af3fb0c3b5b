from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.jose.strict_json import MAX_DEPTH, JsonError, depth_of, parse_list, parse_object

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
    "a comment": b"{} // no",
    "a trailing comma": b'{"a": 1,}',
    "too deep": b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}",
    "10,000 lists": b'{"a":' + b"[" * 10_000,
    "10,000 lists, closed": b'{"a":' + b"[" * 1_900 + b"]" * 1_900 + b"}",
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
    read = parse_object(b'{"a":' + b"[" * depth + b"]" * depth + b"}")
    assert depth_of(read) == MAX_DEPTH


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


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        assert isinstance(parse_object(data), dict)
    except JsonError:
        pass
