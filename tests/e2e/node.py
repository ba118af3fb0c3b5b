"""Installs npm packages for a test program, or skips the test loudly where that can't be done.

The packages are those of the program's lock file. They are kept outside of the project, under a
name that changes with the lock, so that one installation serves all later runs.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e import debian

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "penstock-tests"
INSTALL_TIMEOUT_S = 300
MODULES = "node_modules"


def need_program(folder: Path) -> tuple[str, Path]:
    """Return node's path, and a copy of a program's folder that has its packages."""
    npm, node = debian.need("npm", "npm", "nodejs"), debian.need("node", "nodejs")
    lock = (folder / "package-lock.json").read_bytes()
    installed = CACHE / f"{folder.name}-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not (installed / MODULES).is_dir():
        install(npm, folder, installed)
    for file in folder.glob("*.*js"):
        shutil.copy(file, installed)
    return node, installed


def install(npm: str, folder: Path, target: Path) -> None:
    """Install the locked packages, all of them or none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    making = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(folder / name, making)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        result = subprocess.run(
            command, cwd=making, capture_output=True, timeout=INSTALL_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm takes too long to install the packages of {folder.name}")
    if result.returncode != 0:
        pytest.skip(f"npm can't install the packages of {folder.name}: {result.stderr.decode()}")
    try:
        making.rename(target)
    except OSError:
        # Another process was first.
        shutil.rmtree(making, ignore_errors=True)
