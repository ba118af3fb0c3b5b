from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.saml.form import BadForm, fields_of

ONE = frozenset({"SAMLResponse"})
BOTH = frozenset({"SAMLRequest", "SAMLResponse"})


@given(st.binary(max_size=300))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    try:
        fields = fields_of(body, BOTH)
    except BadForm as bad:
        assert str(bad)
    else:
        assert len(BOTH & set(fields)) == 1


@given(st.text(min_size=1), st.text())
def test_what_was_sent_is_what_is_read(message: str, state: str) -> None:
    fields = {"SAMLResponse": message, "RelayState": state, "other": "x"}
    try:
        body = urlencode(fields).encode("ascii")
    except UnicodeEncodeError:
        return
    assert fields_of(body, ONE) == fields


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"SAMLResponse=a&SAMLResponse=a", ONE),
        (b"SAMLResponse=a&SAMLRequest=b", BOTH),
        (b"RelayState=a", ONE),
        (b"SAMLResponse=a&RelayState=b&RelayState=b", ONE),
        (b"SAMLResponse=%ff", ONE),
        (b"SAMLResponse=a&b", ONE),
        (b"samlresponse=a", ONE),
    ],
)
def test_a_form_with_not_just_one_message_is_refused(body: bytes, wanted: frozenset[str]) -> None:
    with pytest.raises(BadForm):
        fields_of(body, wanted)


def test_of_two_names_only_the_wanted_one_counts() -> None:
    assert fields_of(b"SAMLResponse=a&SAMLRequest=b", ONE)["SAMLResponse"] == "a"
