"""`res.status_code < '300'`: an int against a string, which existing policies write."""

from __future__ import annotations

import operator
from typing import Any, Final

from policy.cel.values import no_overload

_OPERATORS: Final = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def is_numeric_text(text: str) -> bool:
    """Tell whether a string is a decimal integer."""
    digits = text[1:] if text[:1] == "-" else text
    return digits.isascii() and digits.isdigit() and len(digits) <= 19


def compare_with_text(symbol: str, left: Any, right: Any) -> bool:
    """Compare an int with a string by value. A string that is no number is unequal to any."""
    text = left if isinstance(left, str) else right
    if not is_numeric_text(text):
        if symbol in ("==", "!="):
            return symbol == "!="
        raise no_overload(repr(symbol))
    return bool(_OPERATORS[symbol](int(left), int(right)))
