"""Who somebody is: an address counts only if nobody can doubt it (OA-7)."""

from __future__ import annotations

from typing import Any

import pytest

from actions.openid_connect.identity import email_of, merged_claims, person_of


@pytest.mark.parametrize(
    ("verified", "accept_unverified", "counts"),
    [
        (True, False, True),
        (False, False, False),
        ("true", False, False),
        (1, False, False),
        (None, False, False),
        (..., False, False),
        (..., True, True),
        (False, True, False),
        ("true", True, False),
        (None, True, False),
    ],
)
def test_an_address_counts_if_it_is_verified(
    verified: Any, *, accept_unverified: bool, counts: bool
) -> None:
    claims = {"email": "a@example.com"}
    if verified is not ...:
        claims["email_verified"] = verified
    found = email_of(claims, accept_unverified=accept_unverified)
    assert found == ("a@example.com" if counts else "")


def test_an_address_and_its_verification_come_from_one_place() -> None:
    token = {"sub": "u", "email": "own@example.com", "email_verified": True}
    assert email_of(merged_claims(token, {"email": "victim@example.com"})) == ""
    assert email_of(merged_claims({"sub": "u", "email": "a@b.c"}, {"email_verified": True})) == ""
    assert email_of(merged_claims(token, {"name": "R"})) == "own@example.com"


def test_names_are_texts_of_some_length() -> None:
    claims = {"sub": "u", "name": "N" * 2000, "nickname": "nick", "preferred_username": 7}
    person = person_of(claims, accept_unverified_email=False)
    assert (len(person.name), person.username, person.email) == (512, "nick", "")
