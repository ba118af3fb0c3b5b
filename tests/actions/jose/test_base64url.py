from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.jose.base64url import decode, encode


@given(st.binary(max_size=200))
def test_bytes_come_back(data: bytes) -> None:
    assert decode(encode(data)) == data


@pytest.mark.parametrize(
    "text", ["A", "AAAAA", "AA==", "A A", "A+A/", "AB", "AAB", "AA\n", "ÄA", "=", "AA.A"]
)
def test_any_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        decode(text)


@given(st.text(max_size=40))
def test_a_text_has_one_value_or_none(text: str) -> None:
    try:
        assert encode(decode(text)) == text
    except ValueError:
        pass
