from __future__ import annotations

import pytest
from pydantic import ValidationError

from actions.remove_headers import ACTION, Config, Result
from policy.action import Continue
from policy.exchange import Exchange, Request
from policy.forwarding import upstream_fields


def run(config: Config, exchange: Exchange) -> Continue[Result]:
    outcome = ACTION.run(ACTION.prepare(config), exchange)
    assert isinstance(outcome, Continue)
    return outcome


def test_every_line_of_a_field_goes_whatever_its_case(response_exchange: Exchange) -> None:
    outcome = run(Config(headers=["SET-COOKIE", "X-Powered-By"]), response_exchange)
    assert outcome == Continue(Result(headers_removed=["set-cookie"]))
    assert response_exchange.response is not None
    assert response_exchange.response.headers.lines == [("Server", "x")]


def test_a_request_field_goes(exchange: Exchange, request_: Request) -> None:
    outcome = run(Config(headers=["Accept"]), exchange)
    assert outcome == Continue(Result(headers_removed=["accept"]))
    assert "accept" not in request_.headers
    assert exchange.computed is None


def test_what_was_prepared_serves_any_number_of_exchanges(response_exchange: Exchange) -> None:
    removed = ACTION.prepare(Config(headers=["Server"]))
    first = ACTION.run(removed, response_exchange)
    assert first == Continue(Result(headers_removed=["server"]))
    assert ACTION.run(removed, response_exchange) == Continue(Result(headers_removed=[]))


def test_the_proxys_own_forwarding_fields_can_be_dropped(exchange: Exchange) -> None:
    run(Config(headers=["X-Forwarded-For"]), exchange)
    names = [name for name, _ in upstream_fields(exchange)]
    assert "x-forwarded-for" not in names
    assert "x-forwarded-proto" in names


def test_without_a_response_nothing_is_removed(response_exchange: Exchange) -> None:
    response_exchange.response = None
    assert run(Config(headers=["x"]), response_exchange) == Continue(Result(headers_removed=[]))


@pytest.mark.parametrize(
    "headers",
    [[], [f"x-{number}" for number in range(11)], ["User-Agent"], ["host"], ["bad name"]],
    ids=["none", "eleven", "agent", "host", "bad-name"],
)
def test_bad_names_are_refused(headers: list[str]) -> None:
    with pytest.raises(ValidationError):
        Config(headers=headers)
