"""Heads that are mostly those before: whatever came before, they read as if they came alone."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from policy.fields import Fields
from proxy.http1.grammar import FieldLines, GrammarError
from proxy.http1.recurring import MAX_KEPT_BYTES, RecurringFields


def recurring(*, has_one_sender: bool = True) -> RecurringFields:
    return RecurringFields(FieldLines(), has_one_sender=has_one_sender)


def read(reader: RecurringFields, wire: bytes, max_fields: int = 9) -> Fields | str:
    try:
        return reader.read(wire, max_fields)
    except GrammarError as error:
        return error.reason


def said(fields: Fields | str) -> object:
    if isinstance(fields, str):
        return fields
    index = list(fields.by_name.items())
    return fields.lines, index, fields.wire, fields.notable, fields.has_plain_names, len(fields)


# Few names and values, so that heads have much in common; and pieces in which lines end elsewhere
# than they seem to.
LINES = st.sampled_from(
    [
        b"\r\nA: 1", b"\r\nA: 12", b"\r\na: 1", b"\r\nB: 1", b"\r\nB:2 ", b"\r\nB: \xc3\xa4",
        b"\r\nB: \xff", b"\r\nCookie: x", b"\r\nConnection: close", b"\r\nContent-Length: 5",
        b"\r\nContent-Length: 6", b"\r\nX_Y: 1", b"\r\nDate: now", b"\r\nC: : 1", b"\r\nD:",
    ]
)  # fmt: skip
PIECES = st.sampled_from([b"\r\n", b"\r", b"\n", b"A", b":", b" ", b"1", b"\x00", b"\xc3", b"\xa4"])
WIRES = st.one_of(
    st.lists(LINES, max_size=6).map(b"".join),
    st.lists(LINES, max_size=6, unique=True).map(sorted).map(b"".join),
    st.lists(st.one_of(LINES, PIECES), max_size=8).map(lambda parts: b"\r\n" + b"".join(parts)),
)


@given(st.lists(WIRES, max_size=12))
@example([b"\r\nA: 1\r\nB: 1", b"\r\nA: 12\r\nB: 1", b"\r\nA: 1\r\nB: 1\r\nB: 1"])
@example([b"\r\nA: 1", b"\r\nA: 1\r\nA: 1", b"\r\nA: 1\r\nB: 1", b"\r\nA: 12"])
@example([b"\r\nA: 1\r\nB: 1\r\nD:"] * 2 + [b"\r\nA: 1\r\nB: 2\r\nD:"] * 2 + [b"\r\nA: 1\r\nD:"])
def test_what_came_before_changes_nothing(wires: list[bytes]) -> None:
    reader, shared = recurring(), recurring(has_one_sender=False)
    for wire in wires:
        alone = said(read(recurring(), wire))
        for each in (reader, shared):
            fields = read(each, wire)
            assert said(fields) == alone
            if isinstance(fields, Fields):
                # What an action does to one message is not seen in the next.
                fields.add("b", "3")
                fields.remove("a")
                fields.replace("d", "4")


@given(st.lists(st.integers(0, 3), min_size=4, max_size=4), st.integers(0, 3))
def test_lines_that_differ_are_found_wherever_they_stand(numbers: list[int], other: int) -> None:
    reader = recurring()
    for at in [*range(len(numbers)), 0]:
        for _ in range(2):
            wire = b"".join(b"\r\nX-%d: %d" % each for each in enumerate(numbers))
            assert said(read(reader, wire)) == said(read(recurring(), wire))
        numbers[at] = other


def test_a_line_that_came_before_is_the_same_text_again() -> None:
    """So whoever looks it up need not hash it again: a token has hundreds of characters."""
    reader = recurring()
    values = []
    for number in range(4):
        fields = read(reader, b"\r\nAuthorization: Bearer t\r\nX-Id: %d\r\nB: 1" % number)
        assert isinstance(fields, Fields)
        values.append(fields.by_name["authorization"])
    assert values[3] is values[2]


def test_fewer_lines_may_be_allowed_than_before() -> None:
    reader = recurring()
    for _ in range(3):
        assert isinstance(read(reader, b"\r\nA: 1\r\nB: 1", 2), Fields)
    assert read(reader, b"\r\nA: 1\r\nB: 1", 1) == "too-many-fields"


@pytest.mark.parametrize("name", ["Cookie", "Set-Cookie", "Authorization"])
def test_what_many_send_keeps_no_secret(name: str) -> None:
    reader = recurring(has_one_sender=False)
    for wire in (b"\r\nA: 1", f"\r\nA: 1\r\n{name}: secret".encode()) * 2:
        read(reader, wire)
    names = [name for name in dir(reader) if name.startswith("_") and not name.startswith("__")]
    kept = [getattr(reader, name) for name in names]
    assert any("A: 1" in each for each in kept if isinstance(each, list))
    assert "secret" not in repr(kept)


def test_a_long_head_is_not_kept() -> None:
    reader = recurring()
    wire = b"\r\nA: " + b"x" * MAX_KEPT_BYTES
    for _ in range(2):
        assert said(read(reader, wire)) == said(read(recurring(), wire))
    assert not reader._starts
