"""What an action may be."""

from __future__ import annotations

import pytest

from policy.action import Action, ActionConfig, Continue
from policy.exchange import Exchange
from policy.phase import Phase


class Config(ActionConfig):
    pass


def run(_config: Config, _exchange: Exchange) -> Continue[None]:
    return Continue()


def test_an_action_runs_with_its_configuration_unless_it_prepares_something_else() -> None:
    config = Config()
    plain = Action(name="plain", phases=frozenset(Phase), config=Config, run=run)
    assert plain.prepare(config) is config


def test_nothing_that_takes_time_decides_about_connections() -> None:
    with pytest.raises(ValueError, match="slow has effects, for which on_tcp_connect"):
        Action(name="slow", phases=frozenset(Phase), config=Config, run=run, effects=True)
    Action(name="fast", phases=frozenset(Phase), config=Config, run=run)
    later = frozenset({Phase.ON_HTTP_REQUEST})
    Action(name="slow", phases=later, config=Config, run=run, effects=True)
