"""Userinfo parses, or says why not; whole logins are in test_protocol."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actions.openid_connect.userinfo import NoUserinfo, read_userinfo
from policy.effect import Fetched


@given(st.binary(max_size=300), st.integers(100, 599))
def test_bytes_are_userinfo_or_refused(body: bytes, status_code: int) -> None:
    answer = read_userinfo(Fetched(status_code=status_code, body=body), "user-7")
    assert isinstance(answer, NoUserinfo)
    assert answer.refused.status_code in (502, 503)


def test_one_object_about_the_user_is_userinfo() -> None:
    answer = Fetched(status_code=200, body=b'{"sub": "user-7", "name": "R"}')
    assert read_userinfo(answer, "user-7") == {"sub": "user-7", "name": "R"}
    assert isinstance(read_userinfo(answer, "user-77"), NoUserinfo)
