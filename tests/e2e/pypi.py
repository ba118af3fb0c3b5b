"""Installs a peer from PyPI in an environment of its own, or skips the test loudly."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.node import CACHE

INSTALL_TIMEOUT_S = 300


def need_python(package: str) -> Path:
    """Return the Python that has a package, such as `name==1.2`."""
    home = CACHE / f"pypi-{package.replace('==', '-')}"
    if not home.is_dir():
        install(package, home)
    return home / "bin" / "python"


def install(package: str, home: Path) -> None:
    """Make the environment, all of it or none."""
    making = home.with_name(f"{home.name}.{os.getpid()}")
    making.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(making, ignore_errors=True)
    pip = [str(making / "bin" / "python"), "-m", "pip", "install", "--quiet", package]
    for command in ([sys.executable, "-m", "venv", str(making)], pip):
        try:
            subprocess.run(command, capture_output=True, timeout=INSTALL_TIMEOUT_S, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(making, ignore_errors=True)
            pytest.skip(f"pip can't install {package}: {error}")
    try:
        # Only Python itself is called there, which finds its environment by where it stands.
        making.rename(home)
    except OSError:
        # Another process was first.
        shutil.rmtree(making, ignore_errors=True)
