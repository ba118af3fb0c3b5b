"""Places: lines and columns as editors count them."""

from __future__ import annotations

from policy.source import Mapping, parse_source


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    node = parse_source(b"\xef\xbb\xbfa: 1\na: 2".replace(b"\na: 2", b""), name="p.yml")
    assert isinstance(node, Mapping)
    assert node.entries[0][0].place().column == 1


def test_lines_are_counted_as_editors_count_them() -> None:
    for line_break in ["\n", "\r\n", "\r"]:
        node = parse_source(f"a: 1{line_break}{line_break}b: 2", name="p.yml")
        assert isinstance(node, Mapping)
        place = node.entries[1][0].place()
        assert (place.line, place.column, place.source_line) == (3, 1, "b: 2")
