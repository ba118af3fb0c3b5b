"""The one mutable thing on a request's way."""

from __future__ import annotations

from policy.url import parse_url
from policy.variables import activation
from tests import exchanges


def test_a_change_makes_variables_be_computed_anew() -> None:
    on = exchanges.exchange()
    assert on.request is not None
    assert activation(on).req_content_type_raw == ""
    on.request.headers.add("content-type", "text/plain")
    assert activation(on).req_content_type_raw == ""
    on.changed()
    assert activation(on).req_content_type_raw == "text/plain"


def test_what_stands_ready_is_never_out_of_date() -> None:
    on = exchanges.exchange()
    assert on.request is not None
    assert activation(on).req_user_agent == ""
    on.request.headers.add("user-agent", "curl")
    assert activation(on).req_user_agent == "curl"


def test_an_exchange_is_an_activation_of_what_stands_ready() -> None:
    on = exchanges.exchange()
    assert on.exchange is on


def test_a_new_result_replaces_the_one_before() -> None:
    on = exchanges.exchange()
    on.keep_result("one", "first")
    on.keep_result("one", "second")
    assert on.results == {"one": "second"}


def test_a_result_leaves_other_variables_as_they_are() -> None:
    on = exchanges.exchange()
    values = activation(on)
    on.keep_result("one", "first")
    assert activation(on) is values


def test_the_public_url_is_the_one_before_rewrites() -> None:
    request = exchanges.request("/asked")
    before = request.url
    assert request.public_url is before
    request.received_url, request.url = before, parse_url("https://orders.example.com/other")
    assert request.public_url is before
