"""Variables are computed when they are first read."""

from __future__ import annotations

from policy.cel.types import INT
from policy.variables.lazy import declared, variable


class Counting:
    def __init__(self) -> None:
        self.computed: list[str] = []

    @variable("a.kept", INT, "Computed once.")
    def a_kept(self) -> int:
        self.computed.append("kept")
        return len(self.computed)

    @variable("a.fresh", INT, "Computed each time.", fresh=True)
    def a_fresh(self) -> int:
        self.computed.append("fresh")
        return len(self.computed)


class Below(Counting):
    @variable("b.own", INT, "Of the class below.")
    def b_own(self) -> int:
        return 0


def test_nothing_is_computed_before_it_is_read() -> None:
    assert Counting().computed == []


def test_a_value_is_kept_for_its_own_instance() -> None:
    one, other = Counting(), Counting()
    assert [one.a_kept, one.a_kept] == [1, 1]
    assert one.computed == ["kept"]
    assert other.computed == []


def test_a_fresh_value_is_computed_each_time() -> None:
    values = Counting()
    assert [values.a_fresh, values.a_fresh] == [1, 2]


def test_declarations_come_from_the_methods_those_of_bases_first() -> None:
    found = [member.declaration() for member in declared(Below)]
    assert [(each.name, each.attribute) for each in found] == [
        ("a.kept", "a_kept"),
        ("a.fresh", "a_fresh"),
        ("b.own", "b_own"),
    ]
