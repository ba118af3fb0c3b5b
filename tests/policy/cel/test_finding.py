from __future__ import annotations

from policy.cel import ExpressionError, Finding


def test_findings_come_in_text_order_and_all_are_told() -> None:
    later = Finding(code="b", message="second", start=5, end=6)
    first = Finding(code="a", message="first", start=1, end=9)
    error = ExpressionError([later, first])
    assert error.findings == (first, later)
    assert str(error) == "first; second"
