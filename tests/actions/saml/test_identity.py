from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from actions.saml.assertion import NameId
from actions.saml.identity import remembered_name, subject_of
from actions.saml.logout import is_same_subject
from actions.saml.names import EMAIL, PERSISTENT, TRANSIENT, UNSPECIFIED, UNSPECIFIED_2
from tests.saml import IDP, SP, provider, service

FORMATS = st.sampled_from([EMAIL, PERSISTENT, TRANSIENT, UNSPECIFIED, UNSPECIFIED_2])
QUALIFIERS = st.sampled_from([None, IDP, SP, "", "urn:other", "for=urn:other"])
VALUES = st.sampled_from(["ada", "ada for=urn:other", "ada by=", "format=x", "eve"])
NAMES = st.builds(
    NameId,
    value=VALUES,
    format=FORMATS,
    name_qualifier=QUALIFIERS,
    sp_name_qualifier=QUALIFIERS,
)


@given(NAMES, NAMES, FORMATS)
def test_two_names_are_one_subject_just_if_a_logout_takes_them_for_one(
    one: NameId, other: NameId, asked: str
) -> None:
    us = service(name_id_format=asked)
    subjects = [subject_of(each, provider(), us) for each in (one, other)]
    assert (subjects[0] == subjects[1]) == is_same_subject(one, other, provider(), us)


def test_a_usual_name_is_its_own_subject() -> None:
    assert subject_of(NameId(value="ada", format=EMAIL), provider(), service()) == "ada"


@given(NAMES)
def test_a_name_is_remembered_as_it_was(name: NameId) -> None:
    details: dict[str, Any] = {
        "name_id": name.value,
        "name_id_format": name.format,
        "name_qualifier": name.name_qualifier,
        "sp_name_qualifier": name.sp_name_qualifier,
    }
    assert remembered_name(details) == name
