"""Literals: what they stand for, and where in them a mistake is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.cel import Uint
from policy.cel.literals import LiteralError, parse_integer, parse_string


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("9223372036854775808", 2**63),
        ("0xFF", 255),
        ("0x10u", Uint(16)),
        ("18446744073709551615u", Uint(2**64 - 1)),
    ],
)
def test_an_integer_is_read(text: str, value: int) -> None:
    found = parse_integer(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["9223372036854775809", "18446744073709551616u", "9" * 5000])
def test_an_integer_beyond_64_bits_is_refused_as_a_whole(text: str) -> None:
    with pytest.raises(LiteralError) as refused:
        parse_integer(text)
    assert (refused.value.start, refused.value.end) == (0, len(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'a'", "a"),
        ('"a"', "a"),
        ("'''a'b\n'''", "a'b\n"),
        (r"'\n\x41\u00e9\U0001F600\101\`'", "\nA\u00e9\U0001f600A`"),
        (r"r'\n'", r"\n"),
        ("b'é'", "é".encode()),
        (r"b'\xff\377'", b"\xff\xff"),
        (r"bR'\n'", rb"\n"),
    ],
)
def test_a_string_is_read(text: str, value: str | bytes) -> None:
    assert parse_string(text) == value


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        (r"'ab\d'", r"\d"),
        (r"'\ud800'", r"\ud800"),
        (r"'\U00110000'", r"\U00110000"),
        (r"b'a\u0041'", r"\u0041"),
        (r"'''x\q'''", r"\q"),
    ],
)
def test_a_bad_escape_is_shown_where_it_stands(text: str, bad: str) -> None:
    with pytest.raises(LiteralError) as refused:
        parse_string(text)
    assert text[refused.value.start : refused.value.end] == bad


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="'\\\n\r")))
def test_text_without_escapes_is_itself(text: str) -> None:
    assert parse_string(f"'{text}'") == text
    assert parse_string(f"b'{text}'") == text.encode()
