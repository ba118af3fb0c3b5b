"""Content types."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.media_type import media_type, parameters


@pytest.mark.parametrize(
    ("field_value", "expected_type", "expected_parameters"),
    [
        ("", "", {}),
        ("text/html", "text/html", {}),
        ("Text/HTML; Charset=utf-8", "text/html", {"charset": "utf-8"}),
        ('a/b;x="q;\\"uoted";y=2', "a/b", {"x": 'q;"uoted', "y": "2"}),
        ("a/b; x=1; x=2", "a/b", {"x": "1"}),
        ("a/b;;  ; x=1", "a/b", {"x": "1"}),
        ("a/b; broken=; x=1", "a/b", {}),
        ("a/b; x=1; =2", "a/b", {"x": "1"}),
    ],
    ids=[
        "empty", "plain", "case", "quoted", "first-of-two", "empty-parameters", "stops-at-broken",
        "stops-at-nameless",
    ],
)  # fmt: skip
def test_reading(field_value: str, expected_type: str, expected_parameters: dict[str, str]) -> None:
    assert media_type(field_value) == expected_type
    assert parameters(field_value) == expected_parameters


@given(st.text())
def test_any_text_gives_strings(text: str) -> None:
    assert isinstance(media_type(text), str)
    assert all(name == name.lower() for name in parameters(text))
