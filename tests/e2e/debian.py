"""Installs what a test needs from Debian, or skips it loudly where that can't be done."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

INSTALL_TIMEOUT_S = 600


def need(program: str, *packages: str) -> str:
    """Return a program's path, installing its packages first where we may."""
    found = path_of(program)
    if found is None and may_install():
        install(*packages)
        found = path_of(program)
    if found is None:
        pytest.skip(f"{program} is missing: install {' '.join(packages)} to run this test")
    return found


def need_package(package: str) -> None:
    """Install a package that brings no program, such as a server's module."""
    if not installed(package) and may_install():
        install(package)
    if not installed(package):
        pytest.skip(f"the package {package} is missing: install it to run this test")


def path_of(program: str) -> str | None:
    # Servers live where a plain user's search path does not lead.
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def installed(package: str) -> bool:
    if shutil.which("dpkg-query") is None:
        return False
    query = ["dpkg-query", "-W", "-f", "${Status}", package]
    result = subprocess.run(query, capture_output=True, text=True, check=False)
    return result.stdout == "install ok installed"


def install(*packages: str) -> None:
    update_lists()
    # No service may start by itself: the tests start their own, on their own ports.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        apt_get("install", "-y", "-qq", "--no-install-recommends", *packages)
    finally:
        if ours:
            policy.unlink()


@cache
def update_lists() -> None:
    apt_get("update", "-qq")


def apt_get(*arguments: str) -> None:
    subprocess.run(
        ["apt-get", "-o", "DPkg::Lock::Timeout=300", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=INSTALL_TIMEOUT_S,
        check=False,
    )
