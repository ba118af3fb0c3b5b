"""Header fields: order, spelling and look-ups."""

from __future__ import annotations

import pytest

from policy.fields import Fields


@pytest.fixture
def fields() -> Fields:
    return Fields([("Host", "a.test"), ("X-Id", "1"), ("x-id", "2"), ("Accept", "*/*")])


def test_look_ups_ignore_case(fields: Fields) -> None:
    assert fields.all("X-ID") == ["1", "2"]
    assert fields.first("x-iD") == "1"
    assert "HOST" in fields


def test_an_absent_name_reads_as_nothing(fields: Fields) -> None:
    assert fields.all("none") == []
    assert fields.first("none") is None
    assert "none" not in fields


def test_order_and_spelling_survive(fields: Fields) -> None:
    assert [name for name, _ in fields] == ["Host", "X-Id", "x-id", "Accept"]
    assert len(fields) == 4


def test_add_appends_and_is_seen_by_later_look_ups(fields: Fields) -> None:
    assert fields.all("x-id") == ["1", "2"]
    fields.add("X-ID", "3")
    assert fields.all("x-id") == ["1", "2", "3"]


def test_remove_drops_every_spelling(fields: Fields) -> None:
    assert fields.remove("X-Id")
    assert fields.lines == [("Host", "a.test"), ("Accept", "*/*")]
    assert not fields.remove("X-Id")


def test_replace_leaves_one_line_at_the_first_place(fields: Fields) -> None:
    fields.replace("x-ID", "9")
    assert fields.lines == [("Host", "a.test"), ("X-Id", "9"), ("Accept", "*/*")]


def test_replace_adds_what_was_absent(fields: Fields) -> None:
    fields.replace("X-New", "1")
    assert fields.lines[-1] == ("X-New", "1")


def test_edit_gives_each_line_its_value_where_it_stands(fields: Fields) -> None:
    fields.edit("X-ID", ["7", "8"])
    assert fields.lines == [("Host", "a.test"), ("X-Id", "7"), ("x-id", "8"), ("Accept", "*/*")]
    assert fields.all("x-id") == ["7", "8"]


@pytest.mark.parametrize(
    ("values", "lines"),
    {
        "one of two": (["", "8"], [("Host", "a.test"), ("x-id", "8"), ("Accept", "*/*")]),
        "all": (["", ""], [("Host", "a.test"), ("Accept", "*/*")]),
    }.values(),
    ids=["one of two", "all"],
)
def test_edit_drops_lines_without_a_value(
    fields: Fields, values: list[str], lines: list[tuple[str, str]]
) -> None:
    fields.as_received = True
    fields.edit("x-id", values)
    assert fields.lines == lines
    assert fields.all("x-id") == [value for value in values if value]
    assert not fields.as_received


@pytest.mark.parametrize("odd", ["X-Id", "X_Id"])
def test_edit_keeps_count_of_odd_names(odd: str) -> None:
    fields = Fields([(odd, "1"), ("Host", "a.test")])
    before = fields.has_plain_names
    fields.edit(odd, [""])
    assert before is (odd == "X-Id")
    assert fields.has_plain_names


def test_a_copy_is_independent(fields: Fields) -> None:
    copy = fields.copy()
    copy.add("x-id", "3")
    assert fields.all("x-id") == ["1", "2"]


def test_the_representation_shows_no_value() -> None:
    assert repr(Fields([("Authorization", "Bearer s3cret")])) == "Fields(['Authorization'])"
