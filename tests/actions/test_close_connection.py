from __future__ import annotations

import pytest

from actions.close_connection import ACTION, CLOSED, Config, run
from policy.action import Close
from policy.exchange import Exchange
from policy.phase import Phase


@pytest.mark.parametrize("phase", sorted(ACTION.phases))
def test_the_connection_is_closed_in_every_phase(exchange: Exchange, phase: Phase) -> None:
    exchange.phase = phase
    assert run(Config(), exchange) == Close(reason=CLOSED)


def test_nothing_runs_behind_it() -> None:
    assert ACTION.terminates(Config())
