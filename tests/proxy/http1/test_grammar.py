from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.grammar import NOT_CONTROL, GrammarError, check_line, head_lines

CONTROLS = bytes(octet for octet in range(0x100) if octet not in NOT_CONTROL)


def passes(wire: bytes) -> bool:
    (line,) = head_lines(wire)
    try:
        check_line(line)
    except GrammarError as error:
        assert error.reason == "control-character-in-head"
        return False
    return True


@pytest.mark.parametrize("length", [0, 126, 127, 128, 129, 5_000])
@pytest.mark.parametrize("other", [b"", b"\xc3\xa9", b"\xff"], ids=["ascii", "utf-8", "octets"])
def test_a_control_is_found_wherever_it_stands(length: int, other: bytes) -> None:
    line = other + b"x" * length
    assert passes(line)
    for control in CONTROLS:
        for at in {0, len(line) // 2, len(line)}:
            assert not passes(line[:at] + bytes([control]) + line[at:])


@pytest.mark.parametrize("length", [1, 128])
def test_all_else_passes(length: int) -> None:
    for octet in NOT_CONTROL:
        assert passes(bytes([octet]) * length)


@given(st.binary(max_size=300).filter(lambda wire: b"\r\n" not in wire))
def test_any_line_passes_or_has_a_control(wire: bytes) -> None:
    assert passes(wire) == (not wire.translate(None, NOT_CONTROL))
