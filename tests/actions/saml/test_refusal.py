from __future__ import annotations

from actions.saml.refusal import Finding, as_checks, first_refusal, found_wanted, settled, shown

FINE = Finding(subject="a", detail="one")
BAD = settled("b", "two", holds=False, reason="b-wrong")


def test_the_first_that_is_not_in_order_decides() -> None:
    assert first_refusal([FINE, BAD, Finding(subject="c", detail="", reason="c-wrong")]) is BAD
    assert first_refusal([FINE, settled("b", "two", holds=True, reason="b-wrong")]) is None


def test_explanations_show_all() -> None:
    assert [(each.subject, each.passed) for each in as_checks([FINE, BAD])] == [
        ("a", True),
        ("b", False),
    ]


def test_values_of_a_message_are_quoted_and_cut() -> None:
    assert list(shown(["a\nb", None])) == ["'a\\nb'", "nothing"]
    assert len(next(shown(["x" * 1000]))) == 203
    assert found_wanted(None, "x") == "nothing, wanted 'x'"
