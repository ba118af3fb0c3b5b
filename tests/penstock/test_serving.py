"""`penstock http`, `start` and `demo` as processes: what they serve, say, and end with."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

PATIENCE_S = 30.0
REPOSITORY = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
HELLO = "on_http_request: [{actions: [{type: custom-response, config: {body: hello}}]}]\n"


class Ended(NamedTuple):
    code: int
    out: str
    err: str


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "penstock", *arguments]


def run(*arguments: str, cwd: Path | None = None) -> Ended:
    done = subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        cwd=cwd,
        env=ENVIRONMENT,
        check=False,
    )
    assert "Traceback" not in done.stderr + done.stdout
    return Ended(done.returncode, done.stdout, done.stderr)


class Process(NamedTuple):
    process: subprocess.Popen[str]
    messages: list[str]

    @property
    def url(self) -> str:
        return self.messages[-1].rpartition(" ")[2].strip()

    def say(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.readline()

    def event(self) -> dict[str, object]:
        assert self.process.stdout is not None
        event: dict[str, object] = json.loads(self.process.stdout.readline())
        return event


@contextmanager
def started(*arguments: str) -> Iterator[Process]:
    process = subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    assert process.stderr is not None
    try:
        messages: list[str] = []
        while not (messages and "listening on" in messages[-1]):
            line = process.stderr.readline()
            assert line, "".join(messages)
            messages.append(line)
        yield Process(process, messages)
    finally:
        process.kill()
        process.communicate()


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "policy.yml"
    file.write_text(HELLO)
    file.chmod(0o600)
    return file


def test_http_serves_a_policy_and_ends_well(policy: Path) -> None:
    began = time.monotonic()
    with started(
        "http", "1", "--traffic-policy-file", str(policy), "--listen", "127.0.0.1:0"
    ) as it:
        assert time.monotonic() - began < PATIENCE_S
        assert get(it.url) == (200, "hello")
        assert it.event()["event_type"] == "http_request_complete.v0"
        it.process.send_signal(signal.SIGTERM)
        assert it.process.wait(PATIENCE_S) == 0
        assert it.say() == ""


def test_sighup_loads_anew_and_a_bad_policy_is_told(policy: Path) -> None:
    with started(
        "http", "1", "--traffic-policy-file", str(policy), "--listen", "127.0.0.1:0"
    ) as it:
        it.process.send_signal(signal.SIGHUP)
        assert it.say() == "penstock: configuration loaded anew\n"
        policy.write_text("on_http_reqest: []\n")
        assert it.say() == "penstock: not loaded, the old configuration stays\n"
        assert it.say().startswith(f"{policy}:1:1: ")
        assert get(it.url) == (200, "hello")


def test_start_serves_a_configuration(tmp_path: Path, policy: Path) -> None:
    config = tmp_path / "penstock.yml"
    config.write_text(
        "listeners: [{address: 127.0.0.1:0}]\n"
        f"endpoints: [{{url: 'http://localhost', traffic_policy_file: {policy.name}}}]\n"
    )
    config.chmod(0o600)
    with started("start", "--config", str(config)) as it:
        assert get(it.url)[0] == 404
        assert get(it.url.replace("127.0.0.1", "localhost")) == (200, "hello")
        it.process.send_signal(signal.SIGINT)
        assert it.process.wait(PATIENCE_S) == 0


def test_a_taken_port_is_one_clear_message() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = run("http", "1", "--listen", address)
    assert ended.code == 1
    assert ended.err.startswith(f"can't listen on {address}: another program listens there\n")
    assert ended.out == ""


def test_a_taken_admin_port_leaves_nothing_half_started() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        admin = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = run("http", "1", "--listen", "127.0.0.1:0", "--admin", admin)
    assert ended.code == 1
    assert "listening" not in ended.err


MISSING = [
    pytest.param(("http", "1", "--traffic-policy-file", "missing.yml"), "can't read 'missing.yml'",
                 id="policy"),
    pytest.param(("start",), "can't read 'penstock.yml'", id="configuration"),
    pytest.param(("http", "https://127.0.0.1", "--upstream-tls-verify-cas", "missing.pem"),
                 "can't read the authority file 'missing.pem'", id="authorities"),
    pytest.param(("http", "1", "--store", "sqlite:no/such/store.db"),
                 "can't use 'no/such/store.db': there is no such folder", id="store"),
    pytest.param(("http", "1", "--store", "redis://127.0.0.1"),
                 "a store on a server needs keys", id="store on a server"),
    pytest.param(("http", "1", "--log", "no/such/folder/log"), "can't write events", id="log"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), MISSING)
def test_a_missing_file_ends_with_1(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    ended = run(*arguments, cwd=tmp_path)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(message)


MISUSE = [
    pytest.param(("http",), "upstream", id="no upstream"),
    pytest.param(("http", "99999"), "write a port (8080)", id="port"),
    pytest.param(("http", "ftp://x"), "write a port (8080)", id="scheme"),
    pytest.param(("http", "1", "--listen", "4000"), "write HOST:PORT", id="listen"),
    pytest.param(("http", "1", "--url", "tcp://x"), "not supported", id="url"),
    pytest.param(("http", "1", "--trusted-proxy", "10.1"), "10.1.0.0/16", id="trusted proxy"),
    pytest.param(("http", "1", "--proxy-protocol"), "--trusted-proxy", id="nobody trusted"),
    pytest.param(("http", "1", "--store", "file:x"), "write memory, sqlite:PATH", id="store"),
    pytest.param(("http", "1", "--traffic-policy-fil", "x"), "--traffic-policy-file", id="flag"),
    pytest.param(("htp",), "Did you mean 'http'", id="command"),
]


@pytest.mark.parametrize(("arguments", "message"), MISUSE)
def test_misuse_ends_with_2(arguments: tuple[str, ...], message: str) -> None:
    ended = run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    # Usage messages are wrapped to the width of the terminal.
    assert message in " ".join(ended.err.split())


def test_a_bad_policy_shows_every_problem_and_serves_nothing(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text("on_http_request: [{actions: [{type: den}]}]\non_tcp_conect: []\n")
    ended = run("http", "1", "--traffic-policy-file", str(policy))
    assert (ended.code, ended.out) == (1, "")
    assert f"{policy}:1:" in ended.err
    assert f"{policy}:2:1: " in ended.err


def test_the_demo_shows_one_request_of_each_kind() -> None:
    with socket.socket() as probe:
        if not probe.connect_ex(("127.0.0.1", 4000)):
            pytest.skip("something else listens on 127.0.0.1:4000")
    with started("demo") as it:
        said = "".join(it.say() for _ in range(9))
        paths = [line.split()[2] for line in said.splitlines() if "curl" in line]
        assert [get(f"http://127.0.0.1:4000{path.partition(':4000')[2]}")[0] for path in paths] == [
            200,
            403,
            200,
        ]
        assert "first-steps/policy.yaml" in said
