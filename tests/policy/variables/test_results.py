"""`actions.ngrok.*` as expressions read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from policy.action import Action, ActionConfig, ActionError, Continue
from policy.cel import CelError, ExpressionError
from policy.phase import ALL_PHASES
from tests import exchanges


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """A part of a result."""

    name: str = "inner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A result with a field of every kind."""

    decided: bool = True
    count: int = 3
    ratio: float = 0.5
    text: str = "t"
    names: tuple[str, ...] = ("a", "b")
    by_name: Mapping[str, str] = field(default_factory=lambda: {"k": "v"})
    inner: Inner = field(default_factory=Inner)
    data: Mapping[str, object] = field(
        default_factory=lambda: {"realm": {"roles": ["admin"]}, "n": 1}
    )
    error: ActionError | None = None


PROBE = Action(
    name="probe-it",
    phases=ALL_PHASES,
    config=ActionConfig,
    result=Result,
    run=lambda _config, _exchange: Continue(),
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("decided", True),
        ("count", 3),
        ("ratio", 0.5),
        ("text", "t"),
        ("names[1]", "b"),
        ("names[9]", None),
        ("by_name['k']", "v"),
        ("by_name['none']", None),
        ("inner.name", "inner"),
        ("data.realm.roles[0]", "admin"),
        ("data.realm.roles[7]", None),
        ("data.realm.none.of.this", None),
        ("data['none']['of'].this[0]", None),
        ("data.n + 1", 2),
        ("error", None),
        ("error.code", None),
    ],
)
def test_value(path: str, expected: object) -> None:
    on = exchanges.exchange()
    on.results["probe_it"] = Result()
    assert exchanges.value(f"actions.ngrok.probe_it.{path}", on, [PROBE]) == expected


@pytest.mark.parametrize(
    "path",
    ["decided", "names[0]", "by_name['k']", "inner.name", "error.code", "data.realm.roles[0]"],
)
def test_before_the_action_ran_everything_is_null(path: str) -> None:
    assert exchanges.value(f"actions.ngrok.probe_it.{path}", exchanges.exchange(), [PROBE]) is None


def test_a_method_of_what_a_result_lacks_fails() -> None:
    on = exchanges.exchange()
    on.results["probe_it"] = Result()
    with pytest.raises(CelError):
        exchanges.value("actions.ngrok.probe_it.data.none.startsWith('a')", on, [PROBE])


def test_an_action_that_runs_again_is_read_anew() -> None:
    on = exchanges.exchange()
    text = "actions.ngrok.probe_it.text"
    assert exchanges.value(text, on, [PROBE]) is None
    for result in (Result(text="first"), Result(text="second")):
        on.keep_result("probe_it", result)
        assert exchanges.value(text, on, [PROBE]) == result.text
        assert exchanges.value(text, on, [PROBE]) == result.text


@pytest.mark.parametrize("path", ["probe_it.desided", "prob_it.text", "probe_it.inner.nam"])
def test_a_misspelt_name_is_refused(path: str) -> None:
    with pytest.raises(ExpressionError):
        exchanges.value(f"actions.ngrok.{path} == 'x'", exchanges.exchange(), [PROBE])
