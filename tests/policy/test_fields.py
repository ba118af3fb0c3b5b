"""Header fields: order, spelling and look-ups."""

from __future__ import annotations

import pytest

from policy.fields import FieldName, Fields, NewLine, encoded_plainly


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


def test_a_copy_is_independent(fields: Fields) -> None:
    copy = fields.copy()
    copy.add("x-id", "3")
    assert fields.all("x-id") == ["1", "2"]


def test_the_representation_shows_no_value() -> None:
    assert repr(Fields([("Authorization", "Bearer s3cret")])) == "Fields(['Authorization'])"


LINES = ["Host: a.test", "X-Id: 1", "x-id:\t2 ", "Accept: */*"]
WIRE = b"\r\nHost: a.test\r\nX-Id: 1\r\nx-id:\t2 \r\nAccept: */*"


def received(lines: list[str] = LINES, wire: bytes = WIRE) -> Fields:
    by_name: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        by_name.setdefault(name.lower(), []).append(value.strip())
    return Fields.received(lines, by_name, wire, has_plain_names=True)


def test_received_fields_read_as_any_others() -> None:
    fields = received()
    assert fields.lines == [("Host", "a.test"), ("X-Id", "1"), ("x-id", "2"), ("Accept", "*/*")]
    assert len(fields) == 4
    assert fields.wire == WIRE


def test_lines_that_go_and_come_leave_the_others_as_they_were_received() -> None:
    fields = received()
    assert fields.remove("accept")
    fields.add("x-new", "3")
    fields.add("X-New", "4")
    assert fields.wire == b"\r\nHost: a.test\r\nX-Id: 1\r\nx-id:\t2 \r\nx-new: 3\r\nX-New: 4"
    assert fields.lines[3:] == [("x-new", "3"), ("X-New", "4")]
    assert len(fields) == 5
    assert fields.remove("x-id")
    assert fields.wire == b"\r\nHost: a.test\r\nx-new: 3\r\nX-New: 4"
    assert fields.lines == [("Host", "a.test"), ("x-new", "3"), ("X-New", "4")]


def test_lines_that_were_looked_at_change_like_those_that_were_not() -> None:
    fields = received()
    assert len(fields.lines) == 4
    fields.add("x-new", "3")
    fields.remove("x-id")
    assert fields.lines == [("Host", "a.test"), ("Accept", "*/*"), ("x-new", "3")]
    assert fields.wire == b"\r\nHost: a.test\r\nAccept: */*\r\nx-new: 3"


def test_an_unusual_spelling_is_removed_by_spelling_all_lines_anew() -> None:
    fields = received(["hOST: a", "B: c"], b"\r\nhOST: a\r\nB: c")
    fields.remove("host")
    assert fields.wire is None
    assert fields.lines == [("B", "c")]


def test_only_a_whole_line_is_taken_out() -> None:
    lines = ["X-Host: Host: a", "Host: b", "X: \tHost: c"]
    fields = received(lines, b"\r\nX-Host: Host: a\r\nHost: b\r\nX: \tHost: c")
    assert fields.wire_without(("host",)) == b"\r\nX-Host: Host: a\r\nX: \tHost: c"
    assert fields.wire_without(("x", "host")) == b"\r\nX-Host: Host: a"
    assert fields.wire_without(("absent",)) == fields.wire


def test_a_line_and_a_name_serve_any_number_of_messages() -> None:
    line, name = NewLine("X-New", "3"), FieldName("X-New")
    for fields in (received(), received()):
        fields.add_line(line)
        fields.add_line(line)
        assert fields.wire == WIRE + b"\r\nX-New: 3\r\nX-New: 3"
        assert fields.all("x-new") == ["3", "3"]
        assert fields.remove_all((name,)) == ["x-new"]
        assert fields.remove_all((name,)) == []
        assert fields.wire == WIRE


def test_names_go_together_and_each_once() -> None:
    fields = received()
    shared = fields.by_name
    names = tuple(map(FieldName, ("host", "none", "X-Id", "HOST")))
    assert fields.remove_all(names) == ["host", "x-id"]
    assert (fields.lines, fields.wire) == ([("Accept", "*/*")], b"\r\nAccept: */*")
    assert list(fields.by_name) == ["accept"]
    assert list(shared) == ["host", "x-id", "accept"]


def test_a_name_that_is_not_ascii_is_looked_for_line_by_line() -> None:
    fields = Fields([("\xc4", "1"), ("B", "2")])
    assert fields.remove("\xe4")
    assert fields.lines == [("B", "2")]


def test_a_notable_line_is_noticed() -> None:
    fields = received()
    assert fields.notable == frozenset()
    fields.add_line(NewLine("Connection", "close"))
    assert fields.notable == {"connection"}
    fields.remove_all((FieldName("CONNECTION"),))
    assert fields.notable == frozenset()


@pytest.mark.parametrize("value", ["a\r\nB: c", "a\nb", "a\x00", "ä", "a\tb"])
def test_what_may_be_more_than_a_line_is_not_written_as_it_is(value: str) -> None:
    fields = received()
    fields.add("x-new", value)
    assert fields.wire is None
    assert fields.first("x-new") == value


def test_a_replaced_line_is_spelled_anew() -> None:
    fields = received()
    fields.replace("host", "b")
    assert fields.wire is None
    assert fields.lines[0] == ("Host", "b")


def edit(fields: Fields, name: str, value: str) -> None:
    fields.edit(name, value, encoded_plainly(value))


def test_an_edited_line_stays_at_its_place() -> None:
    fields = received()
    edit(fields, "accept", "text/html")
    assert fields.wire == WIRE.replace(b"*/*", b"text/html")
    assert fields.all("Accept") == ["text/html"]
    edit(fields, "host", "b.test")
    assert fields.wire is not None
    assert fields.wire.startswith(b"\r\nHost: b.test\r\nX-Id: 1")
    fields.add("x-new", "3")
    assert fields.lines[0] == ("Host", "b.test")
    assert fields.lines[3:] == [("Accept", "text/html"), ("x-new", "3")]
    edit(fields, "x-new", "4")
    assert fields.lines[4] == ("x-new", "4")


def test_an_edit_is_not_seen_by_whoever_has_the_same_lines() -> None:
    fields = received()
    same = Fields.received(LINES, fields.by_name, WIRE, has_plain_names=True)
    values = fields.all("accept")
    edit(fields, "accept", "text/html")
    assert (values, same.all("accept"), same.wire) == (["*/*"], ["*/*"], WIRE)


def test_a_removal_is_not_seen_by_whoever_has_the_same_lines() -> None:
    fields = received()
    same = Fields.received(LINES, fields.by_name, WIRE, has_plain_names=True)
    fields.remove("host")
    fields.add("x-id", "3")
    assert same.wire == WIRE
    assert len(same) == 4
    assert same.all("x-id") == ["1", "2"]


def test_an_edit_of_an_unusual_spelling_spells_all_lines_anew() -> None:
    fields = received(["hOST: a", "B: c"], b"\r\nhOST: a\r\nB: c")
    edit(fields, "host", "b")
    assert fields.wire is None
    assert fields.lines == [("hOST", "b"), ("B", "c")]


@pytest.mark.parametrize("value", ["a\r\nB: c", "a\nb", "a\x00", "ä", "a\tb"])
def test_an_edit_to_more_than_a_line_is_not_written_as_it_is(value: str) -> None:
    fields = received()
    edit(fields, "accept", value)
    assert fields.wire is None
    assert fields.first("accept") == value


def test_notable_names_follow_every_change() -> None:
    fields = received(["Host: a", "Content-Length: 1"], b"\r\nHost: a\r\nContent-Length: 1")
    assert fields.notable == {"content-length"}
    fields.remove("content-length")
    assert fields.notable == frozenset()
    fields.add("Location", "/")
    assert fields.notable == {"location"}


def test_names_stay_plain_until_an_odd_one_comes() -> None:
    fields = received()
    fields.add("x-new", "1")
    assert fields.has_plain_names
    fields.add("x_odd", "1")
    assert not fields.has_plain_names
    fields.remove("x_odd")
    assert fields.has_plain_names
