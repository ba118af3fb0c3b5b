"""Large bodies pass in both directions without being held in memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import debian
from tests.e2e.conftest import Site
from tests.e2e.processes import free_port, penstock, running

COUNTING_UPSTREAM = Path(__file__).with_name("counting_upstream.py")
GIBIBYTE = 1024 * 1024 * 1024
ALLOWED_GROWTH_KIB = 30 * 1024


@pytest.fixture(scope="module")
def curl() -> str:
    return debian.need("curl", "curl")


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(GIBIBYTE)
    return path


def test_a_download_of_one_gibibyte_is_flat_in_memory(site: Site, curl: str) -> None:
    with (site.www / "large").open("wb") as file:
        file.truncate(GIBIBYTE)
    before = resident_kib(site.pid)
    sizes = run(curl, "-o", "/dev/null", "-w", "%{http_code} %{size_download}", f"{site.url}/large")
    assert sizes == f"200 {GIBIBYTE}"
    assert peak_kib(site.pid) - before < ALLOWED_GROWTH_KIB


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_upload_of_one_gibibyte_is_flat_in_memory(
    curl: str, tmp_path: Path, large_file: Path, framing: str
) -> None:
    extra = ["-H", "Transfer-Encoding: chunked"] if framing == "chunked" else []
    upstream_port, port = free_port(), free_port()
    # Not the site's upstream: it writes what it gets, and a disk may need minutes for that.
    upstream = [sys.executable, str(COUNTING_UPSTREAM), str(upstream_port)]
    command = penstock("http", str(upstream_port), "--listen", f"127.0.0.1:{port}")
    with (
        running(upstream, port=upstream_port, log=tmp_path / "upstream.log"),
        running(command, port=port, log=tmp_path / "penstock.log") as process,
    ):
        before = resident_kib(process.pid)
        target = f"http://127.0.0.1:{port}/{framing}"
        counted = run(curl, "-T", str(large_file), *extra, "-w", " %{http_code}", target)
        assert counted == f"{GIBIBYTE} 200"
        assert peak_kib(process.pid) - before < ALLOWED_GROWTH_KIB


def run(curl: str, *arguments: str) -> str:
    # Gives up on what stands still; how fast a machine is does not matter.
    command = [curl, "-sS", "--speed-limit", "1", "--speed-time", "100", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def resident_kib(pid: int) -> int:
    return status_kib(pid, "VmRSS")


def peak_kib(pid: int) -> int:
    return status_kib(pid, "VmHWM")


def status_kib(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise AssertionError(f"no {name} in /proc/{pid}/status")
