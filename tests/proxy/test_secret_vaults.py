"""Secrets from folders and from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.secret_vaults import (
    MAX_SECRET_BYTES,
    MAX_SECRETS,
    SecretVaultError,
    SecretVaults,
    read_directory,
    read_environment,
)


def test_each_file_of_a_folder_is_a_secret(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    (tmp_path / "empty").write_text("")
    (tmp_path / "lines").write_bytes(b"a\nb\r\n")
    (tmp_path / ".hidden").write_text("x")
    (tmp_path / "folder").mkdir()
    assert read_directory(tmp_path) == {"empty": "", "lines": "a\nb", "token": "s3cret"}


def test_a_mounted_folder_is_read_through_its_links(tmp_path: Path) -> None:
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "token").write_text("s3cret")
    (tmp_path / "token").symlink_to(Path("..data") / "token")
    assert read_directory(tmp_path) == {"token": "s3cret"}


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\xff\xfe", "not UTF-8"), (b"x" * (MAX_SECRET_BYTES + 1), "larger than")],
    ids=["no-text", "too-large"],
)
def test_a_file_that_is_no_secret_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(SecretVaultError, match=message) as refused:
        read_directory(tmp_path)
    assert refused.value.path == tmp_path / "token"


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretVaultError, match="no such file"):
        read_directory(tmp_path / "none")


def test_a_folder_of_too_many_files_is_refused(tmp_path: Path) -> None:
    for number in range(MAX_SECRETS + 1):
        (tmp_path / f"s{number}").touch()
    with pytest.raises(SecretVaultError, match="more than"):
        read_directory(tmp_path)


def test_variables_with_a_prefix_are_secrets() -> None:
    environment = {"PENSTOCK_TOKEN": "s3cret", "PENSTOCK_": "x", "HOME": "/root"}
    assert read_environment("PENSTOCK_", environment) == {"TOKEN": "s3cret"}


def test_what_is_not_there_is_none_and_nothing_shows_a_value() -> None:
    vaults = SecretVaults({"main": {"token": "s3cret"}})
    assert vaults.get("main", "token") == "s3cret"
    assert vaults.get("main", "none") is None
    assert vaults.get("none", "token") is None
    assert "s3cret" not in repr(vaults)
