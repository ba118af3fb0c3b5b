"""What conditions become when they share a function."""

from __future__ import annotations

import ast

import pytest

from policy.cel import compile_condition
from policy.cel.merge import Merge
from policy.phase import Phase
from tests.policy.cel.requests import environment

NAMES = environment(Phase.ON_HTTP_RESPONSE)


def merged(*conditions: str) -> list[str]:
    merge = Merge()
    return [ast.unparse(merge.all_of([compile_condition(each, NAMES)[1]])) for each in conditions]


METHOD, HOST = "activation.req_method", "activation.req_host"


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (
            ["req.method == 'GET'", "req.method == 'PUT'"],
            [f"(kept_0 := {METHOD}) == 'GET'", "kept_0 == 'PUT'"],
        ),
        (
            ["req.method == 'GET' && req.host == 'a'", "req.host == 'b'"],
            [
                f"(kept_0 := {METHOD}) == 'GET' and (kept_1 := {HOST}) == 'a'",
                f"(kept_1 := {HOST}) == 'b'",
            ],
        ),
        (
            ["(req.host == 'a' ? req.method : 'c') == 'b'", "req.method == req.host"],
            [
                f"((kept_1 := {METHOD}) if (kept_0 := {HOST}) == 'a' else 'c') == 'b'",
                f"(kept_1 := {METHOD}) == kept_0",
            ],
        ),
        (
            ["req.method == 'GET' && test.numbers.exists(n, n == 2)", "req.method == 'PUT'"],
            [f"(kept_0 := {METHOD}) == 'GET' and rest(activation)", "kept_0 == 'PUT'"],
        ),
    ],
    ids=["certain", "behind-and", "branches", "functions-of-their-own"],
)
def test_a_value_is_kept_for_as_long_as_it_is_certain(
    conditions: list[str], expected: list[str]
) -> None:
    assert merged(*conditions) == expected


def test_entries_of_a_map_keep_their_order() -> None:
    """Python goes through a map entry by entry: the first value comes before the second key."""
    [tree] = merged("{'a': req.method, req.host: req.host}[req.method] == 'a'")
    assert tree.index("(kept_0 := activation.req_method)") < tree.index(
        "(kept_1 := activation.req_host)"
    )


def test_what_was_forgotten_is_read_again() -> None:
    merge = Merge()
    trees = []
    for _ in range(2):
        merge.forget()
        part = compile_condition("req.method == 'GET'", NAMES)[1]
        trees.append(ast.unparse(merge.all_of([part])))
    assert trees == ["(kept_0 := activation.req_method) == 'GET'"] * 2


def test_constants_of_one_name_stay_apart() -> None:
    merge = Merge()
    for network in ("10.0.0.0/8", "192.0.2.0/24"):
        merge.all_of([compile_condition(f"inCidrRange(conn.client_ip, '{network}')", NAMES)[1]])
    networks = [name for name in merge.names if name.startswith("constant_")]
    assert len(networks) == 2
