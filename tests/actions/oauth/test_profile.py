from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.oauth.api import ApiError
from actions.oauth.profile import email_of, shown_text, subject_of

ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())


@given(ANYTHING | st.emails())
def test_an_address_has_one_at_and_is_verified_or_is_none(value: Any) -> None:
    assert email_of(value, is_verified=False) == ""
    found = email_of(value, is_verified=True)
    assert found == "" or (found.lower() == value.lower() and found.count("@") == 1)


def test_oa_7_a_domain_has_no_case() -> None:
    assert email_of("Ada.L@Example.COM", is_verified=True) == "Ada.L@example.com"


@given(ANYTHING)
def test_a_subject_is_plain_text_or_an_error(value: Any) -> None:
    try:
        found = subject_of(value)
    except ApiError:
        return
    assert found.isascii()
    assert 0 < len(found) <= 255


@given(ANYTHING)
def test_what_people_are_shown_steers_nothing(value: Any) -> None:
    found = shown_text(value)
    assert len(found) <= 500
    assert not any(ord(each) < 32 or each == "\u202e" for each in found)


@pytest.mark.parametrize("length", [64, 65])
def test_an_address_is_as_long_as_addresses_are(length: int) -> None:
    address = "a" * length + "@example.com"
    assert email_of(address, is_verified=True) == (address if length == 64 else "")
