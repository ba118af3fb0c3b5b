"""What providers say is shown only as far as nothing of it can do harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.oauth2.quotation import MAX_QUOTED, described, error_name, quoted


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("The user said no.", "The user said no."),
        ("a\r\nb\x00c\x1b[31m", "a b c [31m"),
        ("caf\u00e9 \u202e", "caf"),
        ("code SplxlOBeZQQYbYS6WxSbIA is used", "code [...] is used"),
        ("eyJhbGciOiJub25lIn0.e30.x", "[...]"),
        (None, ""),
        (7, ""),
        (["a"], ""),
    ],
)
def test_a_text_is_quoted_without_what_looks_secret(value: object, shown: str) -> None:
    assert quoted(value) == shown


def test_a_long_text_is_cut() -> None:
    assert len(quoted("word " * 10_000)) == MAX_QUOTED + 3


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("invalid_grant", "invalid_grant"),
        ("Invalid", ""),
        ("a" * 65, ""),
        ("a\n", ""),
        ("", ""),
        (None, ""),
        (["invalid_grant"], ""),
    ],
)
def test_an_error_has_a_name_or_none(value: object, name: str) -> None:
    assert error_name(value) == name


def test_an_error_is_described_by_name_and_words() -> None:
    assert described("", None) == "an error"
    assert described("invalid_grant", "") == "invalid_grant"
    assert described("", "words") == "an error: words"


@given(st.text(max_size=400), st.text(min_size=1, max_size=30))
def test_a_known_secret_is_never_shown(text: str, secret: str) -> None:
    shown = quoted(f"{text} {secret} {text}", secrets=(secret,))
    assert shown.isascii()
    assert shown.isprintable() or shown == ""
