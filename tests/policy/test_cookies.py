"""Cookies of requests and responses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.cel.values import Duration, Timestamp
from policy.cookies import (
    MAX_COOKIES,
    parse_set_cookie,
    request_cookies,
    response_cookies,
)


@pytest.mark.parametrize(
    ("field_values", "expected"),
    [
        ([], {}),
        (["a=1; b=2"], {"a": ["1"], "b": ["2"]}),
        (["a=1; a=2", "a=3"], {"a": ["1", "2", "3"]}),
        (['a="quoted"'], {"a": ["quoted"]}),
        (["=value; a=1"], {"a": ["1"]}),
        (["novalue; a=1"], {"a": ["1"]}),
        (["a=x=y"], {"a": ["x=y"]}),
        (["A=1; a=2"], {"A": ["1"], "a": ["2"]}),
    ],
    ids=[
        "none", "two", "repeated", "quoted", "nameless-is-ignored", "no-equals", "equals-in-value",
        "names-keep-case",
    ],
)  # fmt: skip
def test_request_cookies(field_values: list[str], expected: dict[str, list[str]]) -> None:
    found = request_cookies(field_values)
    assert {name: [c.value for c in cookies] for name, cookies in found.items()} == expected


def test_request_cookies_are_bounded() -> None:
    found = request_cookies(["; ".join(f"c{i}=1" for i in range(5000))])
    assert len(found) == MAX_COOKIES


def test_all_attributes_of_a_response_cookie() -> None:
    cookie = parse_set_cookie(
        "id=7; Domain=.Example.com; Path=/app; SameSite=Lax; Secure; HttpOnly; "
        "Expires=Wed, 21 Oct 2026 07:28:00 GMT; Max-Age=60; Priority=High"
    )
    assert cookie is not None
    assert (cookie.name, cookie.value, cookie.domain, cookie.path) == (
        "id", "7", "example.com", "/app",
    )  # fmt: skip
    assert (cookie.same_site, cookie.secure, cookie.http_only) == ("Lax", True, True)
    assert cookie.expires == Timestamp(1_792_567_680_000_000_000)
    assert cookie.max_age == Duration(60_000_000_000)
    assert cookie.unparsed_attributes == {"Priority": "High"}


@pytest.mark.parametrize(
    ("field_value", "expected"),
    [
        ("a=1; Expires=never", None),
        ("a=1", None),
        ("a=1; Expires=99", None),
        ("a=1; Expires=Sun, 9999999999-Mar-2026 12:00:00 GMT", None),
    ],
)
def test_an_unreadable_expiry_is_absent(field_value: str, expected: object) -> None:
    cookie = parse_set_cookie(field_value)
    assert cookie is not None
    assert cookie.expires is expected


@pytest.mark.parametrize("text", ["x", "", "1e9", "٣", "99999999999"])
def test_an_unreadable_max_age_is_zero(text: str) -> None:
    cookie = parse_set_cookie(f"a=1; Max-Age={text}")
    assert cookie is not None
    assert cookie.max_age == Duration(0)


def test_a_set_cookie_without_name_is_none() -> None:
    assert parse_set_cookie("=1; Path=/") is None
    assert parse_set_cookie("flag") is None


def test_response_cookies_of_one_name_stand_longest_path_first() -> None:
    found = response_cookies(["a=1; Path=/", "a=2; Path=/long/path", "b=3"])
    assert [cookie.value for cookie in found["a"]] == ["2", "1"]


@given(st.lists(st.text(max_size=200), max_size=5))
def test_any_text_is_read(field_values: list[str]) -> None:
    request_cookies(field_values)
    response_cookies(field_values)
