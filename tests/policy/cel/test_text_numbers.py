"""`res.status_code < '300'`."""

from __future__ import annotations

import pytest

from policy.cel import CelError
from policy.cel.text_numbers import compare_with_text, is_numeric_text


@pytest.mark.parametrize("text", ["0", "-1", "007", "9" * 19])
def test_decimal_digits_are_a_number(text: str) -> None:
    assert is_numeric_text(text)


@pytest.mark.parametrize("text", ["", "-", "+1", "1.0", "1e3", " 1", "0x1", "٣", "9" * 20])
def test_everything_else_is_text(text: str) -> None:
    assert not is_numeric_text(text)


@pytest.mark.parametrize(
    ("left", "symbol", "right", "expected"),
    [
        (200, "==", "200", True),
        ("0200", "==", 200, True),
        (200, "<", "1000", True),
        ("1000", "<", 200, False),
        (200, "!=", "2OO", True),
        (200, "==", "2OO", False),
    ],
)
def test_numbers_and_texts_compare_by_value(
    left: int | str,
    symbol: str,
    right: int | str,
    expected: bool,  # noqa: FBT001
) -> None:
    assert compare_with_text(symbol, left, right) is expected


def test_what_is_no_number_has_no_order() -> None:
    with pytest.raises(CelError):
        compare_with_text("<", 200, "many")
