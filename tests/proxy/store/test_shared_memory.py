"""One store in memory for several processes, which leaves nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proxy.store.shared_memory import PREFIX, SharedMemory, remove_abandoned


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("proxy.store.shared_memory.IN_MEMORY", tmp_path)
    monkeypatch.setattr("proxy.store.shared_memory.YOUNG_S", -1.0)
    return tmp_path


def test_a_folder_is_its_owners_only_and_holds_no_key(place: Path) -> None:
    shared = SharedMemory.make()
    assert shared.folder.parent == place
    assert shared.folder.stat().st_mode & 0o777 == 0o700
    assert list(shared.folder.iterdir()) == []
    shared.remove()
    assert list(place.iterdir()) == []


def test_each_one_has_another_key() -> None:
    one, other = SharedMemory.make(), SharedMemory.make()
    keys = {os.pread(each.key, 32, 0) for each in (one, other)}
    assert len(keys) == 2
    assert {len(each) for each in keys} == {32}
    one.remove()
    other.remove()


def test_one_that_is_used_is_left_alone(place: Path) -> None:
    shared = SharedMemory.make()
    remove_abandoned(place)
    assert shared.folder.exists()
    shared.remove()


def test_one_that_nobody_uses_any_more_is_removed(place: Path) -> None:
    shared = SharedMemory.make()
    for each in shared.descriptors():
        os.close(each)
    (shared.folder / "store.db").touch()
    remove_abandoned(place)
    assert list(place.iterdir()) == []


def test_what_is_not_ours_is_left_alone(
    place: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (place / f"{PREFIX}link").symlink_to(elsewhere)
    (place / f"{PREFIX}file").touch()
    (place / f"{PREFIX}open").mkdir(mode=0o755)
    (place / "other").mkdir(mode=0o700)
    before = sorted(place.iterdir())
    remove_abandoned(place)
    assert sorted(place.iterdir()) == before
    assert elsewhere.exists()


def test_without_such_a_place_files_are_where_temporary_files_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("proxy.store.shared_memory.IN_MEMORY", tmp_path / "none")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    shared = SharedMemory.make()
    assert shared.folder.parent == tmp_path
    shared.remove()
