"""Texts: counted in code points, cut and searched at their edges."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policy.cel.requests import assert_gives, failure_code, value_of


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("'tacocat'.charAt(7)", ""),
        ("'aXbX'.split('X')", ["a", "b", ""]),
        ("''.split(',')", [""]),
        ("'a b'.split(' ', 0)", []),
        ("'abc'.split('')", ["a", "b", "c"]),
        ("'abc'.replace('', '-')", "-a-b-c-"),
        ("'aaa'.replace('a', 'b', -1)", "bbb"),
        ("'aaa'.replace('a', 'b', 0)", "aaa"),
        ("'\\x1f x\\u2003'.trim()", "\x1f x"),
        ("'ΑΣ'.lower()", "\u03b1\u03c3"),
        ("'straße'.upper()", "STRAßE"),
        ("'ǆ ᾳ ŉ'.upper()", "Ǆ ᾼ ŉ"),
        ("'Éa'.upperAscii()", "ÉA"),
        ("'😀x'.size()", 2),
        ("'😀x'.indexOf('x')", 1),
        ("'abc'.contains('')", True),
        ("['ab', 'c'].contains('b')", True),
        ("[].contains('b')", False),
        ("strings.quote('a\"\\\\\\u0007')", '"a\\"\\\\\\a"'),
    ],
    ids=str,
)
def test_text_functions_count_code_points(text: str, wanted: Any) -> None:
    assert_gives(text, wanted)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("'abc'.charAt(4)", "always-fails"),
        ("'abc'.charAt(-1)", "always-fails"),
        ("'abc'.indexOf('a', 4)", "always-fails"),
        ("'abc'.lastIndexOf('a', -1)", "always-fails"),
        ("'abc'.substring(2, 1)", "always-fails"),
        ("'abc'.substring(4)", "always-fails"),
    ],
)
def test_positions_outside_of_a_text_are_errors(text: str, code: str) -> None:
    assert failure_code(text) == code


CHARACTERS = st.text(st.sampled_from("/ab\ud7ff\ue000\uffff\U0010fffe\U0010ffff"), max_size=4)


@given(CHARACTERS, CHARACTERS)
def test_a_string_begins_as_python_says(text: str, beginning: str) -> None:
    literal = "".join(f"\\U{ord(each):08x}" for each in beginning)
    found = value_of(f"test.text.startsWith('{literal}')", test_text=text)
    assert found is text.startswith(beginning)
