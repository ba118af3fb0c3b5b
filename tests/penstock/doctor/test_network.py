from __future__ import annotations

import pytest

from penstock.doctor.finding import Verdict
from penstock.doctor.network import WHY, Answer, check_clock, check_reached, skew_s
from policy.effect import Fetched, FetchFailed
from proxy import fetcher

NOON = "Sun, 01 Mar 2026 12:00:00 GMT"
NOON_S = 1_772_366_400.0


def answer(date: str | None, *, at_s: float = NOON_S) -> Answer:
    headers = () if date is None else (("Date", date),)
    return Answer(
        url="https://a.example", result=Fetched(status_code=200, headers=headers), at_s=at_s
    )


@pytest.mark.parametrize("date", [None, "", "yesterday", "12:00", "Sun, 99 Mar 2026 12:00:00 GMT"])
def test_a_date_that_is_none_says_nothing(date: str | None) -> None:
    assert skew_s(answer(date)) is None
    assert check_clock([answer(date)]).verdict is Verdict.UNKNOWN


def test_a_clock_is_ahead_or_behind() -> None:
    assert skew_s(answer(NOON)) == 0
    assert skew_s(answer(NOON, at_s=NOON_S - 5)) == 5
    assert skew_s(answer(NOON.replace("GMT", "-0000"), at_s=NOON_S + 5)) == -5


def test_the_answer_that_took_least_counts() -> None:
    slow, quick = answer(NOON, at_s=NOON_S + 90), answer(NOON, at_s=NOON_S + 1)
    assert check_clock([slow, quick]).verdict is Verdict.OK


REASONS = {
    value
    for name, value in vars(fetcher).items()
    if name.isupper() and isinstance(value, str) and "-" in value
}  # fmt: skip


def test_every_reason_of_the_fetcher_is_explained() -> None:
    assert set(WHY) == REASONS


def test_a_reason_that_nobody_knows_is_shown_as_it_is() -> None:
    failed = Answer(url="https://a.example", result=FetchFailed(reason="odd"), at_s=0)
    found = check_reached("x", failed)
    assert found is not None
    assert "odd" in found.detail
