from __future__ import annotations

from actions.log import ACTION, Config, Result, run
from policy.action import Continue
from policy.config_types import Interpolated
from policy.exchange import Exchange


def test_each_run_adds_an_entry(exchange: Exchange) -> None:
    first = run(Config(metadata={"a": 1, "b": {"c": [True, None]}}), exchange)
    run(Config(metadata={}), exchange)
    assert first == Continue(Result(metadata={"a": 1, "b": {"c": [True, None]}}))
    assert exchange.logs == [{"metadata": {"a": 1, "b": {"c": [True, None]}}}, {"metadata": {}}]


def test_values_keep_their_types_and_may_fail() -> None:
    marks = ACTION.config.model_fields["metadata"].metadata
    assert Interpolated(typed=True, lenient=True) in marks
