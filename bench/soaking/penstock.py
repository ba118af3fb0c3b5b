"""Penstock as its users run it, and what can be seen of it from outside."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from pathlib import Path

from bench.data_plane import installation
from bench.data_plane.accounting import family
from bench.data_plane.site import LOOPBACK, free_port

START_TIMEOUT_S = 30.0
POLICY = """
on_http_request:
  - expressions: ["req.url.path.startsWith('/admin')"]
    actions: [{type: deny}]
  - actions: [{type: add-headers, config: {headers: {x-version: "%d"}}}]
on_http_response:
  - actions: [{type: add-headers, config: {headers: {x-version: "%d"}}}]
"""
CONFIG = """
listeners: [{{address: {host}:{proxy.port}}}]
admin: {host}:{proxy.admin}
workers: {workers}
limits: {{max_connections_per_address: 20000}}
endpoints: [{{upstream: {{url: {upstream}}}, traffic_policy_file: policy.yml}}]
"""


class Penstock:
    """A running proxy with its admin listener, its policy and its log."""

    def __init__(self, folder: Path, upstream: int, workers: int) -> None:
        """Start it, and wait until it is ready."""
        self.port, self.admin = free_port(), free_port()
        self.log = folder / "log"
        self._policy = folder / "policy.yml"
        self.change_policy(0)
        config = folder / "penstock.yml"
        config.write_text(
            CONFIG.format(host=LOOPBACK, proxy=self, workers=workers, upstream=upstream)
        )
        config.chmod(0o600)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [installation.penstock(), "start", "--config", str(config),
                 "--log", str(folder / "events")],
                stderr=log, cwd=folder,
            )  # fmt: skip
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise SystemExit(f"Penstock does not start:\n{self.log.read_text()}")
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{self.admin}/readyz") as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def change_policy(self, number: int) -> None:
        """Write a new version of the policy, in one step."""
        fresh = self._policy.with_suffix(".new")
        fresh.write_text(POLICY % (number, number))
        fresh.replace(self._policy)

    def metrics(self) -> dict[str, float]:
        """Return all metrics without labels, and those with, by the name as it is written."""
        with urllib.request.urlopen(f"http://{LOOPBACK}:{self.admin}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line and line[0] != "#")
        return {name: float(value) for name, value in pairs}

    def memory_mb(self) -> float:
        """Return the memory of all processes in 10**6 bytes; what they share counts once."""
        return sum(proportional_kb(pid) for pid in family(self.process.pid)) * 1024 / 1e6

    def descriptors(self) -> int:
        """Return how many descriptors all processes hold."""
        pids = family(self.process.pid)
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids)


def proportional_kb(pid: int) -> int:
    """Return a process's proportional set size."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
