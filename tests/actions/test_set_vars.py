from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from actions.set_vars import (
    ACTION,
    DEPTH_LIMIT,
    MEMORY_LIMIT_BYTES,
    TOO_DEEP,
    TOO_LARGE,
    Config,
    is_too_deep,
    keep_for_later_items,
    limit_exceeded,
    run,
)
from policy.action import Close, Continue, Respond
from policy.exchange import Exchange
from policy.phase import Phase
from policy.template import InterpolationError


def config(value: Any) -> Config:
    return Config.model_validate({"vars": value})


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


def test_variables_of_any_shape_are_set_in_order(exchange: Exchange) -> None:
    outcome = run(config([{"a": 1}, {"b": {"c": [None, "d"]}}, {"a": 2.5}]), exchange)
    assert outcome == Continue()
    assert exchange.vars == {"a": 2.5, "b": {"c": [None, "d"]}}


def test_variables_of_earlier_actions_stay(exchange: Exchange) -> None:
    exchange.vars = {"old": 1}
    run(config([{"new": 2}]), exchange)
    assert exchange.vars == {"old": 1, "new": 2}


def test_a_map_is_read_in_key_order_with_a_warning(exchange: Exchange) -> None:
    written = config({"b": 1, "a": 2})
    run(written, exchange)
    assert list(exchange.vars) == ["b", "a"]
    assert [finding.code for finding in ACTION.lint(written)] == ["variables-as-map"]
    assert ACTION.lint(config([{"a": 1}])) == ()


SHAPES = {
    "text": "a",
    "empty list": [],
    "empty map": {},
    "two names in one entry": [{"a": 1, "b": 2}],
    "no name": [{}],
    "no map": ["a"],
    "name with a hyphen": [{"a-b": 1}],
    "name with a digit in front": [{"1a": 1}],
    "name outside ASCII": [{"é": 1}],
    "name that is no text": [{1: 1}],
    "too deep": [{"a": nested(DEPTH_LIMIT + 1)}],
}


@pytest.mark.parametrize("value", SHAPES.values(), ids=SHAPES)
def test_another_shape_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        config(value)


def test_names_directly_in_the_configuration_are_refused() -> None:
    with pytest.raises(ValidationError):
        Config.model_validate({"a": 1})


def test_the_deepest_value_allowed_is_allowed() -> None:
    assert not is_too_deep(nested(DEPTH_LIMIT))
    assert is_too_deep(nested(DEPTH_LIMIT + 1))
    assert config([{"a": nested(DEPTH_LIMIT)}]).vars.pairs


LARGE = {
    "one text": {"a": "x" * MEMORY_LIMIT_BYTES},
    "several texts": {"a": "x" * (MEMORY_LIMIT_BYTES // 2), "b": "y" * (MEMORY_LIMIT_BYTES // 2)},
    "bytes": {"a": b"x" * MEMORY_LIMIT_BYTES},
    "many numbers": {"a": [1] * MEMORY_LIMIT_BYTES},
    "a map's names": {"a": {"x" * MEMORY_LIMIT_BYTES: 1}},
    "a tuple": {"a": ("x" * MEMORY_LIMIT_BYTES, 1)},
}


@pytest.mark.parametrize("variables", LARGE.values(), ids=LARGE)
def test_a_mebibyte_is_the_end(variables: dict[str, Any]) -> None:
    assert limit_exceeded(variables) == TOO_LARGE


def test_less_is_fine() -> None:
    assert limit_exceeded({"a": "x" * (MEMORY_LIMIT_BYTES // 2), "b": [1, {"c": None}]}) is None


@pytest.mark.parametrize(
    ("value", "reason", "error_code"),
    [
        ("x" * MEMORY_LIMIT_BYTES, TOO_LARGE, "ERR_NGROK_2249"),
        (nested(DEPTH_LIMIT + 1), TOO_DEEP, "ERR_NGROK_2250"),
    ],
    ids=["large", "deep"],
)
def test_over_a_limit_the_request_ends(
    exchange: Exchange, value: Any, reason: str, error_code: str
) -> None:
    exchange.vars = {"earlier": value}
    assert run(config([{"a": 1}]), exchange) == Respond(
        status_code=500, reason=reason, error_code=error_code
    )
    exchange.phase = Phase.ON_TCP_CONNECT
    assert run(config([{"a": 1}]), exchange) == Close(reason=reason, error_code=error_code)


def test_a_value_is_there_for_the_next_one(exchange: Exchange) -> None:
    keep_for_later_items(SimpleNamespace(exchange=exchange), {"a": 1})
    assert exchange.vars == {"a": 1}


def test_a_chain_of_growing_values_stops_early(exchange: Exchange) -> None:
    with pytest.raises(InterpolationError) as refused:
        keep_for_later_items(SimpleNamespace(exchange=exchange), {"a": "x" * MEMORY_LIMIT_BYTES})
    assert refused.value.code == TOO_LARGE
    assert refused.value.reference == "ERR_NGROK_2249"


def test_the_schema_describes_the_list() -> None:
    schema = Config.model_json_schema()["properties"]["vars"]
    assert schema["type"] == "array"
