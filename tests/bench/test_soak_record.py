"""An outage of the upstream excuses what it spoils, and nothing else."""

from __future__ import annotations

import time

import pytest

from bench.soaking.record import (
    CutAnswerError,
    Outage,
    Record,
    UnexpectedStatusError,
    WrongAnswerError,
)

NOW = time.monotonic()
RUNNING = [Outage(NOW - 1.0)]
OVER = [Outage(NOW - 60.0, NOW - 59.0)]


@pytest.mark.parametrize(
    ("outages", "error", "excused"),
    [
        pytest.param(RUNNING, UnexpectedStatusError(502), True, id="502 while it is dead"),
        pytest.param(RUNNING, UnexpectedStatusError(500), False, id="500 while it is dead"),
        pytest.param(RUNNING, CutAnswerError(), True, id="cut while it is dead"),
        pytest.param(RUNNING, WrongAnswerError(), False, id="wrong while it is dead"),
        pytest.param(OVER, UnexpectedStatusError(502), False, id="502 long after"),
        pytest.param(OVER, EOFError(), False, id="closed long after"),
        pytest.param([], UnexpectedStatusError(502), False, id="502 without an outage"),
    ],
)
def test_what_is_excused(outages: list[Outage], error: Exception, excused: bool) -> None:  # noqa: FBT001
    record = Record(port=0, outages=outages)
    record.fault("client", error, began=NOW - 30.0)
    assert (record.excused.total(), len(record.unexpected)) == (int(excused), int(not excused))
