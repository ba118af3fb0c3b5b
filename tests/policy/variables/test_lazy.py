"""Variables are computed when they are first read."""

from __future__ import annotations

from policy.cel import Variable
from policy.cel.types import INT, STRING
from policy.variables.lazy import Member, declared, stored, variable


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


class Holder:
    def __init__(self, inner: str) -> None:
        self.inner = inner


class Below(Counting):
    def __init__(self) -> None:
        super().__init__()
        self.holder = Holder("first")

    b_stored = stored("b.stored", STRING, "Where it stands.", "holder.inner")

    @variable("b.own", INT, "Of the class below.")
    def b_own(self) -> int:
        return 0


def declaration(member: Member) -> Variable:
    return member.declaration()


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
        ("b.stored", "holder.inner"),
        ("b.own", "b_own"),
    ]


def test_a_stored_value_is_read_where_it_stands() -> None:
    values = Below()
    assert values.b_stored == "first"
    values.holder = Holder("second")
    assert values.b_stored == "second"


def test_only_computed_values_can_be_fresh() -> None:
    assert [each.name for each in map(declaration, declared(Below)) if each.fresh] == ["a.fresh"]
