from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.oauth.api import ApiError, check_status, next_page
from policy.effect import Fetched

URL = "https://api.example.com/user"

LINKS = {
    "none": ("", ""),
    "next": ('<https://a.example/?page=2>; rel="next"', "https://a.example/?page=2"),
    "without quotes": ("<https://a.example/2>; rel=next", "https://a.example/2"),
    "among others": (
        '<https://a.example/1>; rel="first", <https://a.example/3>; rel="next", <b>; rel="last"',
        "https://a.example/3",
    ),
    "only others": ('<https://a.example/1>; rel="prev"', ""),
    "another word": ('<https://a.example/1>; rel="nextish"', ""),
    "no link": ("rel=next", ""),
}


@pytest.mark.parametrize(("value", "expected"), LINKS.values(), ids=LINKS)
def test_the_next_page_is_found(value: str, expected: str) -> None:
    assert next_page(Fetched(status_code=200, headers=(("Link", value),))) == expected


@given(st.text(alphabet='<>;=", relnxt\t*', max_size=200))
def test_any_link_field_is_read_or_left(value: str) -> None:
    assert isinstance(next_page(Fetched(status_code=200, headers=(("link", value),))), str)


@pytest.mark.parametrize("part", ["<a>;", '<a>; rel="', "; ", " ;\t", "<a> "])
def test_a_hostile_link_field_costs_nothing(part: str) -> None:
    started = perf_counter()
    next_page(Fetched(status_code=200, headers=(("link", "<a>" + part * 4_000),)))
    assert perf_counter() - started < 2


RETRIES = {"7": 7, "0": 1, "99999999999": 3600, "soon": 10, "-1": 10}


@pytest.mark.parametrize("text", RETRIES)
def test_a_provider_says_when_to_come_back(text: str) -> None:
    with pytest.raises(ApiError) as raised:
        check_status(URL, Fetched(status_code=403, headers=(("Retry-After", text),)))
    assert raised.value.refused.retry_after_s == RETRIES[text]


def test_what_is_said_about_a_url_is_not_its_query() -> None:
    with pytest.raises(ApiError) as raised:
        check_status(f"{URL}?access_token=s3cret", Fetched(status_code=418))
    assert URL in raised.value.refused.detail
    assert "s3cret" not in raised.value.refused.detail
