"""A log that takes no more costs events, never requests: whole processes, and a file that ends."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.proxy.test_supervisor import ask, started, until

# As on a full disk, a write beyond the limit comes back short, and then with an error (EFBIG).
SMALL_FILES = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_a_log_that_is_full_costs_events_and_no_request(tmp_path: Path, workers: int) -> None:
    with started(tmp_path, workers=workers, before=(sys.executable, "-c", SMALL_FILES)) as proxy:
        assert {ask(proxy.port) for _ in range(100)} == {(200, "one")}
        until(lambda: proxy.metric("penstock_events_dropped_total") > 0)
        until(
            lambda: (
                proxy.metric("penstock_events_total")
                + proxy.metric("penstock_events_dropped_total")
                == 100
            )
        )
        written = proxy.metric("penstock_events_total")
        assert proxy.has_said("penstock: events lost: ")
        assert proxy.has_said("(file too large)")
        # Room again: the log goes on with a fresh line.
        log = tmp_path / "events"
        lines = log.read_bytes().split(b"\n")
        assert len([json.loads(line) for line in lines[:-1]]) == written
        with log.open("r+b") as file:
            file.truncate(0)
        assert ask(proxy.port) == (200, "one")
        until(lambda: proxy.metric("penstock_events_total") == written + 1)
        assert json.loads(log.read_text("ascii").strip().split("\n")[-1])["event_type"]
