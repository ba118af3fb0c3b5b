"""What is declared in a phase."""

from __future__ import annotations

import pytest

from policy.cel import Environment, Variable
from policy.cel.types import STRING
from policy.phase import ALL_PHASES, RESPONSE_PHASES, Phase


def named(name: str, phases: frozenset[Phase] = ALL_PHASES) -> Variable:
    return Variable(name=name, type=STRING, attribute=name.replace(".", "_"), phases=phases)


WHERE = Environment(
    phase=Phase.ON_HTTP_REQUEST,
    variables=[
        named("req.url"),
        named("req.url.path"),
        named("res.code", RESPONSE_PHASES),
        named("res.late.code", RESPONSE_PHASES),
    ],
)


def test_the_beginnings_of_names_are_namespaces() -> None:
    assert [WHERE.is_namespace(name) for name in ("req", "req.url", "req.url.path", "r")] == [
        True, True, False, False,
    ]  # fmt: skip


def test_members_are_those_of_the_phase() -> None:
    assert WHERE.members("req") == ["req.url", "req.url.path"]
    assert WHERE.members("res") == []
    assert WHERE.members("none") == []
    assert WHERE.variable_names == ["req.url", "req.url.path"]


def test_names_accepted_for_others_are_not_suggested() -> None:
    aliases = {f.name for f in WHERE.functions.values() if f.alias_of is not None}
    assert aliases
    assert aliases.isdisjoint(WHERE.function_names)


@pytest.mark.parametrize(
    ("container", "absolute", "names"),
    [
        ("", False, ["x"]),
        ("a.b", False, ["a.b.x", "a.x", "x"]),
        ("a.b", True, ["x"]),
    ],
)
def test_a_container_is_searched_from_the_inside(
    container: str,
    absolute: bool,  # noqa: FBT001
    names: list[str],
) -> None:
    where = Environment(phase=Phase.ON_HTTP_REQUEST, container=container)
    assert where.candidates("x", absolute=absolute) == names
