from __future__ import annotations

import pytest
from pydantic import ValidationError

from actions.add_headers import ACTION, Config, Result
from policy.action import Continue
from policy.exchange import Exchange, Request
from policy.fields import Fields
from policy.forwarding import strip_owned, upstream_fields


def run(config: Config, exchange: Exchange) -> Continue[Result]:
    outcome = ACTION.run(ACTION.prepare(config), exchange)
    assert isinstance(outcome, Continue)
    return outcome


def test_fields_are_appended_in_lower_case(exchange: Exchange, request_: Request) -> None:
    outcome = run(Config(headers={"X-Team": "red", "ACCEPT": "text/html"}), exchange)
    assert outcome == Continue(Result(headers_added={"x-team": "red", "accept": "text/html"}))
    assert request_.headers.all("accept") == ["*/*", "text/html"]
    assert ("x-team", "red") in request_.headers.lines


def test_later_expressions_see_the_change(exchange: Exchange) -> None:
    run(Config(headers={"x-team": "red"}), exchange)
    assert exchange.computed is None


def test_host_is_replaced(exchange: Exchange, request_: Request) -> None:
    run(Config(headers={"Host": "inner.example"}), exchange)
    assert request_.headers.all("host") == ["inner.example"]


def test_an_empty_value_adds_nothing(exchange: Exchange, request_: Request) -> None:
    outcome = run(Config(headers={"x-email": "", "host": ""}), exchange)
    assert outcome == Continue(Result(headers_added={}))
    assert "x-email" not in request_.headers
    assert request_.headers.all("host") == ["app.example.com"]


def test_cookies_stay_one_field(exchange: Exchange, request_: Request) -> None:
    run(Config(headers={"Cookie": "a=1"}), exchange)
    run(Config(headers={"Cookie": "b=2"}), exchange)
    assert request_.headers.all("cookie") == ["a=1; b=2"]


def test_a_first_cookie_is_added_behind_what_was_received(
    exchange: Exchange, request_: Request
) -> None:
    request_.headers = Fields.received(
        ["Host: a"], {"host": ["a"]}, b"\r\nHost: a", has_plain_names=True
    )
    run(Config(headers={"Cookie": "a=1"}), exchange)
    assert request_.headers.wire == b"\r\nHost: a\r\ncookie: a=1"


def test_an_owned_authorization_replaces_the_clients(exchange: Exchange, request_: Request) -> None:
    config = Config(headers={"Authorization": "Bearer ours"})
    request_.headers.add("Authorization", "Bearer theirs")
    owned = ACTION.sets_request_headers(config)
    strip_owned(request_, owned)
    run(config, exchange)
    lines = upstream_fields(exchange, owned=owned)
    assert [value for name, value in lines if name.lower() == "authorization"] == ["Bearer ours"]


def test_what_is_added_after_a_removal_is_sent(exchange: Exchange, request_: Request) -> None:
    request_.withheld = frozenset({"x-forwarded-proto"})
    run(Config(headers={"x-forwarded-proto": "https"}), exchange)
    lines = upstream_fields(exchange, owned=frozenset({"x-forwarded-proto"}))
    assert ("x-forwarded-proto", "https") in lines


def test_what_was_prepared_serves_any_number_of_exchanges(
    exchange: Exchange, request_: Request
) -> None:
    added = ACTION.prepare(Config(headers={"x-team": "red"}))
    assert ACTION.run(added, exchange) is ACTION.run(added, exchange)
    assert request_.headers.all("x-team") == ["red", "red"]


def test_a_response_gets_fields_too(response_exchange: Exchange, request_: Request) -> None:
    before = request_.headers.lines.copy()
    run(Config(headers={"X-Frame-Options": "DENY"}), response_exchange)
    assert response_exchange.response is not None
    assert response_exchange.response.headers.first("x-frame-options") == "DENY"
    assert request_.headers.lines == before


def test_without_a_response_nothing_is_changed(response_exchange: Exchange) -> None:
    response_exchange.response = None
    assert run(Config(headers={"x-a": "1"}), response_exchange).result is not None


def test_the_policy_owns_what_it_sets_but_shared_fields() -> None:
    config = Config(headers={"X-Auth-User": "a", "Host": "b", "Cookie": "c", "Authorization": "d"})
    assert ACTION.sets_request_headers(config) == {"x-auth-user", "authorization"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {f"x-{number}": "1" for number in range(11)},
        {"user-agent": "x"},
        {"te": "trailers"},
        {"bad name": "x"},
        {"x-a": "a\r\nb"},
        {"x-a": "a" * 8193},
        {"x" * 257: "a"},
    ],
    ids=["none", "eleven", "agent", "hop-by-hop", "bad-name", "line-break", "value", "name"],
)
def test_bad_fields_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Config(headers=headers)
