"""The whole program with each sort of store: what workers share, and what survives."""

from __future__ import annotations

import base64
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proxy.store.shared_memory import IN_MEMORY, PREFIX
from tests.proxy.serving import LOOPBACK
from tests.proxy.store.stores import KEY, free_port, running_redis

REPOSITORY = Path(__file__).parents[3]
PATIENCE_S = 40.0
CONFIG = """
listeners: [{{address: "127.0.0.1:{port}"}}]
admin: 127.0.0.1:{admin}
workers: {workers}
store: {store}
endpoints: [{{traffic_policy: {{on_http_request: [{{actions: [{{type: count}}]}}]}}}}]
"""


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@dataclass
class Running:
    """`penstock start`, with an action that counts."""

    process: subprocess.Popen[bytes]
    config: Path
    port: int
    admin: int
    said: list[str] = field(default_factory=list)

    def ask(self, path: str = "/", port: int = 0) -> tuple[int, str]:
        client = http.client.HTTPConnection(LOOPBACK, port or self.port, timeout=PATIENCE_S)
        try:
            client.request("GET", path)
            response = client.getresponse()
            return response.status, response.read().decode()
        finally:
            client.close()

    def count(self) -> tuple[int, int]:
        """Send a request; return its number and who has counted it."""
        status, text = self.ask()
        assert status == 200, text
        number, pid = text.split()
        return int(number), int(pid)

    def workers(self) -> list[str]:
        pid = self.process.pid
        return Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()

    def memory(self) -> set[Path]:
        """The folder that its processes share."""
        links = [each.readlink() for each in Path(f"/proc/{self.process.pid}/fd").iterdir()]
        start = f"{IN_MEMORY}/{PREFIX}"
        return {each for each in links if str(each).startswith(start) and each.is_dir()}

    def has_said(self, text: str) -> bool:
        return any(text in line for line in self.said)

    def metric(self, series: str) -> float:
        lines = self.ask("/metrics", self.admin)[1].splitlines()
        return next(float(each.split()[1]) for each in lines if each.startswith(f"{series} "))


@contextmanager
def running(folder: Path, store: str, *, workers: int = 1) -> Iterator[Running]:
    config = folder / "penstock.yml"
    port, admin = free_port(), free_port()
    config.write_text(CONFIG.format(port=port, admin=admin, workers=workers, store=store))
    config.chmod(0o600)
    command = [sys.executable, "-m", "tests.proxy.store.counting", "start", "--log", "false"]
    process = subprocess.Popen(
        [*command, "--config", str(config)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stderr=subprocess.PIPE,
    )
    started = Running(process, config, port, admin)

    def listen() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            started.said.append(line.decode().rstrip("\n"))

    listening = threading.Thread(target=listen, daemon=True)
    listening.start()
    try:
        until(lambda: started.has_said("listening on") or process.poll() is not None)
        assert process.poll() is None, started.said
        yield started
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
        listening.join()


def test_workers_share_one_memory(tmp_path: Path) -> None:
    with running(tmp_path, "memory", workers=2) as started:
        counted = []
        until(lambda: counted.append(started.count()) or len({pid for _, pid in counted}) == 2)  # type: ignore[func-returns-value]
        assert [number for number, _ in counted] == list(range(1, len(counted) + 1))
        (folder,) = started.memory()
        assert folder.stat().st_mode & 0o777 == 0o700
        until(lambda: started.metric('penstock_store_entries{kind="count"}') == 1)
        assert started.metric("penstock_store_down") == 0
    assert not folder.exists()


def test_parallel_requests_to_two_workers_lose_no_count(tmp_path: Path) -> None:
    with running(tmp_path, "memory", workers=2) as started:
        threads = [
            threading.Thread(target=lambda: [started.count() for _ in range(10)]) for _ in range(20)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert started.count()[0] == 201


def test_a_killed_worker_leaves_the_records_of_all(tmp_path: Path) -> None:
    with running(tmp_path, "memory", workers=2) as started:
        number, pid = started.count()
        os.kill(pid, signal.SIGKILL)
        until(lambda: started.has_said("starting another"))
        assert started.count()[0] == number + 1


def test_a_rolling_restart_keeps_what_is_in_memory(tmp_path: Path) -> None:
    with running(tmp_path, "memory", workers=2) as started:
        (folder,) = started.memory()
        assert started.count()[0] == 1
        started.said.clear()
        started.process.send_signal(signal.SIGUSR2)
        until(lambda: started.has_said("listening on"))
        assert started.count()[0] == 2
        assert started.memory() == {folder}
    assert not folder.exists()


def test_what_a_killed_process_left_in_memory_is_removed_by_the_next(tmp_path: Path) -> None:
    with running(tmp_path, "memory", workers=2) as started:
        (left,) = started.memory()
        workers = started.workers()
        started.process.kill()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    os.utime(left, (0, 0))
    with running(tmp_path, "memory", workers=2):
        until(lambda: not left.exists())


def test_a_file_keeps_records_over_a_restart(tmp_path: Path) -> None:
    with running(tmp_path, "sqlite:state.db", workers=2) as started:
        assert started.count()[0] == 1
        assert started.has_said(f"the store's key is in {tmp_path}/state.db.key")
    with running(tmp_path, "sqlite:state.db", workers=2) as started:
        assert started.count()[0] == 2
        assert not started.has_said("the store's key")
    assert (tmp_path / "state.db.key").stat().st_mode & 0o777 == 0o600


def test_a_file_keeps_what_was_answered_when_the_process_is_killed(tmp_path: Path) -> None:
    with running(tmp_path, "sqlite:state.db") as started:
        for _ in range(20):
            last = started.count()[0]
        started.process.kill()
    with running(tmp_path, "sqlite:state.db") as started:
        assert started.count()[0] == last + 1


def test_a_change_of_the_store_waits_for_a_restart(tmp_path: Path) -> None:
    with running(tmp_path, "sqlite:state.db", workers=2) as started:
        assert started.count()[0] == 1
        text = started.config.read_text()
        started.config.write_text(text.replace("sqlite:state.db", "memory"))
        until(lambda: started.has_said("the store or its keys have changed: restart"))
        _, pid = started.count()
        os.kill(pid, signal.SIGKILL)
        until(lambda: started.has_said("starting another"))
        assert started.count()[0] == 3


def test_a_reload_of_anything_else_says_nothing_of_the_store(tmp_path: Path) -> None:
    with running(tmp_path, "sqlite:state.db") as started:
        started.config.write_text(started.config.read_text() + "server_region: eu\n")
        until(lambda: started.has_said("configuration loaded anew"))
        assert not started.has_said("the store or its keys")


def server_store(folder: Path, port: int) -> str:
    (folder / "store.key").write_bytes(base64.b64encode(KEY))
    (folder / "store.key").chmod(0o600)
    return f"{{url: 'redis://{LOOPBACK}:{port}/0', key_files: [store.key]}}"


def test_replicas_share_a_server(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server:
        folders = [tmp_path / each for each in ("one", "other")]
        for each in folders:
            each.mkdir()
        stores = [server_store(each, server.port) for each in folders]
        with running(folders[0], stores[0]) as one, running(folders[1], stores[1]) as other:
            assert [each.count()[0] for each in (one, other, one, other)] == [1, 2, 3, 4]


def test_a_server_that_is_away_costs_503_and_nothing_afterwards(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, server_store(tmp_path, port), workers=2) as started:
        assert started.ask() == (503, "store-unreachable")
        until(lambda: started.has_said("the store does not work"))
        assert started.ask("/readyz", started.admin)[0] == 200
        until(lambda: started.metric("penstock_store_failures_total") >= 1)
        assert started.metric("penstock_store_down") == 1
        with running_redis(tmp_path, port=port) as server:
            until(lambda: started.ask()[0] == 200)
            server.kill()
            until(lambda: started.ask()[0] == 503)
        with running_redis(tmp_path, port=port):
            until(lambda: started.ask()[0] == 200)
            until(lambda: started.metric("penstock_store_down") == 0)
        assert started.has_said("the store works again")
        assert started.process.poll() is None
