"""Large bodies pass in both directions without being held in memory."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e import debian
from tests.e2e.conftest import Site

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
    site: Site, curl: str, large_file: Path, framing: str
) -> None:
    before = resident_kib(site.pid)
    extra = ["-H", "Transfer-Encoding: chunked"] if framing == "chunked" else []
    target = f"{site.url}/upload/{framing}"
    assert run(curl, "-T", str(large_file), *extra, "-w", "%{http_code}", target) == "201"
    stored = site.www / "upload" / framing
    assert stored.stat().st_size == GIBIBYTE
    stored.unlink()
    assert peak_kib(site.pid) - before < ALLOWED_GROWTH_KIB


def run(curl: str, *arguments: str) -> str:
    command = [curl, "-sS", "--max-time", "100", *arguments]
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
