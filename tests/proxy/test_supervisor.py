"""Several workers as one proxy: they share sockets, change together, and lose no request."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PATIENCE_S = 40.0
REPOSITORY = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
LOOPBACK = "127.0.0.1"
SAY = "on_http_request: [{{actions: [{{type: custom-response, config: {{body: {word}}}}}]}}]\n"
BAD = "on_http_request: [{actions: [{type: den}]}]\n"


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as taken:
        return int(taken.getsockname()[1])


@dataclass
class Proxy:
    """`penstock start` with its files in a folder."""

    folder: Path
    process: subprocess.Popen[bytes]
    port: int
    admin: int
    said: list[str] = field(default_factory=list)

    @property
    def policy(self) -> Path:
        return self.folder / "policy.yml"

    def events(self) -> list[dict[str, Any]]:
        text = (self.folder / "events").read_text("ascii")
        return [json.loads(line) for line in text.splitlines()]

    def workers(self) -> set[int]:
        pid = self.process.pid
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
        return set(map(int, listed.split()))

    def has_said(self, text: str, times: int = 1) -> bool:
        return sum(text in line for line in self.said) >= times

    def body(self) -> str:
        return ask(self.port)[1]

    def metric(self, name: str) -> float:
        _, text = ask(self.admin, "/metrics")
        lines = [line.split() for line in text.splitlines() if line.startswith(f"{name} ")]
        return float(lines[0][1])


def ask(port: int, path: str = "/") -> tuple[int, str]:
    client = http.client.HTTPConnection(LOOPBACK, port, timeout=PATIENCE_S)
    try:
        client.request("GET", path)
        answer = client.getresponse()
        return answer.status, answer.read().decode()
    finally:
        client.close()


@contextmanager
def started(
    folder: Path,
    *,
    workers: int = 2,
    policy: str = "",
    more: str = "",
    before: tuple[str, ...] = (),
) -> Iterator[Proxy]:
    port, admin = free_port(), free_port()
    (folder / "policy.yml").write_text(policy or SAY.format(word="one"))
    config = folder / "penstock.yml"
    config.write_text(
        f"listeners: [{{address: 127.0.0.1:{port}}}]\nadmin: 127.0.0.1:{admin}\n"
        f"workers: {workers}\nendpoints: [{{traffic_policy_file: policy.yml}}]\n{more}"
    )
    config.chmod(0o600)
    command = [*before, sys.executable, "-m", "penstock", "start", "--log", str(folder / "events")]
    process = subprocess.Popen(
        [*command, "--config", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    proxy = Proxy(folder, process, port, admin)
    reader = threading.Thread(target=listen, args=(proxy,), daemon=True)
    reader.start()
    try:
        until(lambda: proxy.has_said("listening on") or process.poll() is not None)
        yield proxy
    finally:
        left = proxy.workers() if process.poll() is None else set()
        process.kill()
        process.wait()
        # Without their supervisor they stop on their own.
        until(lambda: not any(is_running(pid) for pid in left))
        reader.join(PATIENCE_S)
    text = "\n".join(proxy.said)
    assert "Traceback" not in text, text


def is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:
        return False


def listen(proxy: Proxy) -> None:
    assert proxy.process.stderr is not None
    for line in proxy.process.stderr:
        proxy.said.append(line.decode().rstrip())


@dataclass
class Load:
    """Clients that ask again and again; whatever is no 200 is a failure."""

    port: int
    done: threading.Event = field(default_factory=threading.Event)
    answers: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def run(self, *, kept: bool) -> None:
        client = http.client.HTTPConnection(LOOPBACK, self.port, timeout=PATIENCE_S)
        while not self.done.is_set():
            try:
                client.request("GET", "/")
                answer = client.getresponse()
                body = answer.read().decode()
                if answer.status != 200:
                    self.failures.append(f"{answer.status}")
                self.answers.append(body)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
                # A kept connection may be closed at any moment (RFC 9112, section 9.5); a new one
                # that gets no answer has lost its request.
                if not kept:
                    self.failures.append(repr(error))
                client.close()
            except Exception as error:  # noqa: BLE001 - every one is counted
                self.failures.append(repr(error))
                client.close()
            if not kept:
                client.close()


@contextmanager
def load(port: int) -> Iterator[Load]:
    clients = Load(port)
    threads = [
        threading.Thread(target=clients.run, kwargs={"kept": number % 2 == 0})
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    try:
        yield clients
    finally:
        clients.done.set()
        for thread in threads:
            thread.join(PATIENCE_S)


def test_workers_serve_together_and_are_counted_as_one(tmp_path: Path) -> None:
    with started(tmp_path, workers=3) as proxy:
        assert len(proxy.workers()) == 3
        for _ in range(30):
            assert ask(proxy.port) == (200, "one")
        until(lambda: proxy.metric("penstock_events_total") == 30)
        assert proxy.metric("penstock_workers") == 3
        assert len({each["event_id"] for each in proxy.events()}) == 30
        status, ready = ask(proxy.admin, "/readyz")
        assert (status, json.loads(ready)["ready"]) == (200, True)
        proxy.process.send_signal(signal.SIGTERM)
        assert proxy.process.wait(PATIENCE_S) == 0


def test_a_dead_worker_is_replaced_while_the_others_serve(tmp_path: Path) -> None:
    with started(tmp_path) as proxy:
        before = proxy.workers()
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        until(lambda: proxy.has_said(f"({killed}) was killed by signal 9: starting another"))
        with load(proxy.port) as clients:
            until(lambda: len(proxy.workers() - before) == 1)
            until(lambda: proxy.metric("penstock_workers") == 2)
        assert clients.failures == []
        assert proxy.metric("penstock_worker_restarts_total") == 1


def test_bounds_on_connections_hold_over_all_workers(tmp_path: Path) -> None:
    """T-DO-3: whoever of the workers accepts them."""
    with started(tmp_path, workers=3, more="limits: {max_connections: 6}\n") as proxy:
        held = [socket.create_connection((LOOPBACK, proxy.port)) for _ in range(6)]
        until(lambda: proxy.metric("penstock_connections") == 6)
        assert {ask(proxy.port)[0] for _ in range(12)} == {503}
        # The places of a worker that is killed are free, though it could give none of them back.
        before = proxy.workers()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        until(lambda: len(proxy.workers() - before) == 3)
        until(lambda: proxy.metric("penstock_workers") == 3)
        assert ask(proxy.port) == (200, "one")
        for each in held:
            each.close()


BROKEN = """
import sys
import proxy.server

def broken(worker, channel):
    raise KeyError("planted")

proxy.server.run_worker = broken
from penstock.__main__ import main
sys.argv = ["penstock", "http", "1", "--workers", "2", "--listen", "127.0.0.1:0"]
main()
"""


@pytest.mark.parametrize("wanted", ["", "1"], ids=["a line", "with the stack"])
def test_a_bug_that_ends_a_worker_is_told_in_a_line(wanted: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", BROKEN],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env={**ENVIRONMENT, "PENSTOCK_TRACEBACK": wanted},
        check=False,
    )
    assert ended.returncode == 1
    assert re.search(r"penstock: worker [12]: [0-9a-f]{8}: KeyError at ", ended.stderr)
    assert "set PENSTOCK_TRACEBACK=1 and report" in ended.stderr
    assert "a worker could not start: ended with code 1" in ended.stderr
    assert ("Traceback" in ended.stderr) is bool(wanted)
    assert ("planted" in ended.stderr) is bool(wanted)


def test_a_replacement_runs_what_was_good_though_the_file_is_bad_now(tmp_path: Path) -> None:
    with started(tmp_path) as proxy:
        proxy.policy.write_text(BAD)
        until(lambda: proxy.has_said("the old configuration stays"))
        before = proxy.workers()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        until(lambda: len(proxy.workers() - before) == 2)
        assert {proxy.body() for _ in range(20)} == {"one"}


def test_a_reload_reaches_all_workers_under_load(tmp_path: Path) -> None:
    with started(tmp_path, workers=3) as proxy, load(proxy.port) as clients:
        for number in range(1, 5):
            proxy.policy.write_text(BAD if number % 2 else SAY.format(word=f"n{number}"))
            if number % 4:
                proxy.process.send_signal(signal.SIGHUP)
            said = "the old configuration stays" if number % 2 else "loaded anew"
            until(lambda: proxy.has_said(said, (number + 1) // 2))  # noqa: B023
            if number % 2 == 0:
                assert {proxy.body() for _ in range(20)} == {f"n{number}"}
        assert proxy.metric("penstock_config_reloads_total") >= 2
        assert proxy.metric("penstock_config_reloads_refused_total") >= 2
    assert clients.failures == []
    assert set(clients.answers) == {"one", "n2", "n4"}


def test_a_rolling_restart_loses_no_request(tmp_path: Path) -> None:
    with started(tmp_path) as proxy:
        before = proxy.workers()
        with load(proxy.port) as clients:
            proxy.process.send_signal(signal.SIGUSR2)
            until(lambda: proxy.has_said("listening on", 2))
            until(lambda: not before & proxy.workers() and len(proxy.workers()) == 2)
        assert clients.failures == []
        assert len(clients.answers) > 100
        until(lambda: proxy.metric("penstock_events_total") == len(clients.answers))
        assert proxy.metric("penstock_workers") == 2
        proxy.process.send_signal(signal.SIGTERM)
        assert proxy.process.wait(PATIENCE_S) == 0


def test_a_rolling_restart_into_a_bad_configuration_changes_nothing(tmp_path: Path) -> None:
    with started(tmp_path) as proxy:
        before = proxy.workers()
        proxy.policy.write_text(BAD)
        proxy.process.send_signal(signal.SIGUSR2)
        until(lambda: proxy.has_said("not restarted: the trial ended with code 1"))
        assert before <= proxy.workers()
        assert proxy.body() == "one"


def test_a_request_in_progress_is_finished_by_a_worker_that_stops(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as upstream:
        port = upstream.getsockname()[1]
        more = f"  - {{url: http://slow.test, upstream: {{url: {port}}}}}\n"
        with started(tmp_path) as proxy:
            config = proxy.folder / "penstock.yml"
            text = config.read_text()
            config.write_text(
                text.replace(
                    "endpoints: [{traffic_policy_file: policy.yml}]\n",
                    f"endpoints:\n  - {{traffic_policy_file: policy.yml}}\n{more}",
                )
            )
            until(lambda: proxy.has_said("loaded anew"))
            client = socket.create_connection((LOOPBACK, proxy.port))
            client.sendall(b"GET / HTTP/1.1\r\nHost: slow.test\r\n\r\n")
            behind, _ = upstream.accept()
            behind.recv(4096)
            proxy.process.send_signal(signal.SIGTERM)
            until(lambda: proxy.has_said("penstock: stopping"))
            with pytest.raises(ConnectionError):
                ask(proxy.port)
            behind.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
            assert client.recv(4096).endswith(b"done")
            assert proxy.process.wait(PATIENCE_S) == 0
            behind.close()
            client.close()


def test_lines_of_all_workers_stay_whole_in_a_pipe(tmp_path: Path) -> None:
    """Each event is longer than what a pipe keeps together."""
    with started(tmp_path, workers=1) as probe:
        config = probe.folder / "penstock.yml"
    (tmp_path / "policy.yml").write_text(
        "on_http_request:\n"
        f'  - actions: [{{type: log, config: {{metadata: {{long: "{"x" * 6000}"}}}}}}]\n'
        "  - actions: [{type: custom-response, config: {body: one}}]\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "penstock", "start", "--workers", "3", "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    lines: list[bytes] = []
    reader = threading.Thread(target=lambda: lines.extend(process.stdout or ()))
    reader.start()
    try:
        assert b"listening" in process.stderr.readline()
        with load(probe.port) as clients:
            until(lambda: len(clients.answers) > 300)
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
        reader.join(PATIENCE_S)
    finally:
        process.kill()
        process.communicate()
    assert len(lines) == len(clients.answers)
    assert all(json.loads(line)["object"]["traffic_policy"] for line in lines)


@pytest.mark.parametrize("signals", [1, 2], ids=["gracefully", "at once"])
def test_the_terminal_s_interrupt_reaches_everyone_and_ends_well(
    tmp_path: Path, signals: int
) -> None:
    with started(tmp_path) as proxy:
        workers = proxy.workers()
        for _ in range(signals):
            for pid in (*workers, proxy.process.pid):
                try:
                    os.kill(pid, signal.SIGINT)
                except ProcessLookupError:
                    pass
        assert proxy.process.wait(PATIENCE_S) == 0
        assert not any(map(is_running, workers))


def test_workers_without_a_supervisor_stop(tmp_path: Path) -> None:
    with started(tmp_path) as proxy:
        workers = proxy.workers()
        proxy.process.kill()
        proxy.process.wait()
        until(lambda: not any(map(is_running, workers)))


def test_a_taken_port_is_one_message_of_one_process(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = subprocess.run(
            [sys.executable, "-m", "penstock", "http", "1", "--listen", address, "--workers", "3"],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            env=ENVIRONMENT,
            check=False,
        )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count(f"can't listen on {address}") == 1


def test_a_bad_policy_is_one_message_of_one_process(tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text(BAD)
    ended = subprocess.run(
        [sys.executable, "-m", "penstock", "http", "1", "--workers", "3",
         "--listen", "127.0.0.1:0", "--traffic-policy-file", str(tmp_path / "policy.yml")],
        capture_output=True, text=True, timeout=PATIENCE_S, env=ENVIRONMENT, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.count("policy.yml:1:37") == 1
    assert "listening" not in ended.stderr
