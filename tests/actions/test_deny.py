from __future__ import annotations

import pytest
from pydantic import ValidationError

from actions.deny import ACTION, DENIED, Config, run
from policy.action import Close, Respond
from policy.exchange import Exchange
from policy.phase import Phase


def test_a_request_gets_403_and_no_body(exchange: Exchange) -> None:
    assert run(Config(), exchange) == Respond(status_code=403, reason=DENIED)


def test_the_status_can_be_chosen(exchange: Exchange) -> None:
    outcome = run(Config(status_code=404), exchange)
    assert isinstance(outcome, Respond)
    assert outcome.status_code == 404
    assert not outcome.runs_response_phase


def test_a_connection_is_closed(exchange: Exchange) -> None:
    exchange.phase = Phase.ON_TCP_CONNECT
    assert run(Config(), exchange) == Close(reason=DENIED)


@pytest.mark.parametrize("status_code", [199, 600, 0])
def test_other_numbers_are_no_status(status_code: int) -> None:
    with pytest.raises(ValidationError):
        Config(status_code=status_code)


@pytest.mark.parametrize("field", ["body", "headers"])
def test_a_body_is_for_custom_response(field: str) -> None:
    with pytest.raises(ValidationError):
        Config.model_validate({field: "no"})
    assert "custom-response" in Config.field_hints[field]


def test_nothing_runs_behind_it() -> None:
    assert ACTION.terminates(Config())
    assert ACTION.phases_without_config == {Phase.ON_TCP_CONNECT}
