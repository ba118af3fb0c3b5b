"""Secrets for `secrets.get(vault, name)`: files of a folder, or variables of the environment.

All values are read when the configuration is loaded, and again at each reload; a folder's files
are watched. Nothing here ever shows a value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

MAX_SECRET_BYTES = 64 * 1024
MAX_SECRETS = 1000
# What a file of a mounted folder may be called; `..data` and its kind are the mount's own.
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class SecretVaultError(Exception):
    """A vault that can't be used. `path` is the folder or file."""

    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        super().__init__(message)


class SecretVaults:
    """All secrets by vault and name. Never changes after loading."""

    __slots__ = ("_vaults",)

    def __init__(self, vaults: Mapping[str, Mapping[str, str]]) -> None:
        self._vaults = vaults

    def __repr__(self) -> str:
        # A representation ends up in logs, and a name tells an attacker where to look.
        return f"SecretVaults({sorted(self._vaults)})"

    def get(self, vault: str, name: str) -> str | None:
        """Return a secret, None if there is none."""
        return self._vaults.get(vault, {}).get(name)


def read_directory(path: Path) -> dict[str, str]:
    """Read a folder with one secret a file; one line end at the end is not part of it.

    Raises SecretVaultError for what can't be read, is no text, or is too large.
    """
    try:
        files = sorted(
            each for each in path.iterdir() if NAME.fullmatch(each.name) and each.is_file()
        )
    except OSError as error:
        raise SecretVaultError(path, (error.strerror or "can't be read").lower()) from error
    if len(files) > MAX_SECRETS:
        raise SecretVaultError(path, f"holds more than {MAX_SECRETS} files")
    return {each.name: read_secret(each) for each in files}


def read_secret(path: Path) -> str:
    """Read one secret; raises SecretVaultError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SECRET_BYTES + 1)
    except OSError as error:
        raise SecretVaultError(path, (error.strerror or "can't be read").lower()) from error
    if len(data) > MAX_SECRET_BYTES:
        raise SecretVaultError(path, f"is larger than {MAX_SECRET_BYTES} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SecretVaultError(path, "is not UTF-8 text") from error
    return text.removesuffix("\n").removesuffix("\r")


def read_environment(prefix: str, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Take the variables whose names begin with a prefix, by the rest of their names."""
    return {
        name.removeprefix(prefix): value
        for name, value in environment.items()
        if name.startswith(prefix) and name != prefix
    }
