"""Rows in columns."""

from __future__ import annotations

from penstock.people.table import table


def test_columns_are_as_wide_as_their_widest() -> None:
    lines = [
        "".join(span.text for span in each) for each in table(("A", "B"), [("xyz", "1"), ("", "2")])
    ]
    assert lines == ["A    B", "xyz  1", "     2"]


def test_without_rows_there_is_no_head() -> None:
    assert list(table(("A",), [])) == []


def test_control_characters_are_shown_and_counted() -> None:
    (_, row) = table(("A", "B"), [("\x1b", "x\ny")])
    assert row[0].text == "\\x1b  x y"
