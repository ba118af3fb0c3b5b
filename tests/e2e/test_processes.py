"""Programs that tests start end with the tests, and take along what they have started."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from tests.e2e.processes import free_port, running

PATIENCE_S = 10
# A server whose worker does not end with it.
SERVER = """
import os, socket, sys, time
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
worker = os.fork()
if worker == 0:
    time.sleep(600)
print(worker, flush=True)
while True:
    listening.accept()[0].close()
"""


def is_running(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has waited for yet does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
def test_workers_do_not_outlive_the_server_that_started_them(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    deadline = time.monotonic() + PATIENCE_S
    with running([sys.executable, "-c", SERVER, str(port)], port=port, log=log):
        while not log.read_text().endswith("\n"):
            assert time.monotonic() < deadline
            time.sleep(0.01)  # between two looks at a condition
        worker = int(log.read_text())
        assert is_running(worker)
    while is_running(worker):
        assert time.monotonic() < deadline
        time.sleep(0.01)  # between two looks at a condition
