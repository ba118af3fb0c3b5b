"""Files with keys: made once, for their owner, and read strictly."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from proxy.store.keys import UnusableKey, make_key, read_key
from tests.proxy.store.stores import KEY


def test_a_key_is_base64_with_a_line_end(tmp_path: Path) -> None:
    path = tmp_path / "store.key"
    path.write_bytes(base64.b64encode(KEY) + b"\n")
    assert read_key(path) == KEY


@pytest.mark.parametrize(
    "content",
    [b"", b"hunter2", base64.b64encode(KEY[:31]), base64.b64encode(KEY * 2), b"\xff" * 44],
    ids=["empty", "password", "short", "long", "bytes"],
)
def test_anything_else_is_no_key_and_is_not_shown(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.key"
    path.write_bytes(content)
    with pytest.raises(UnusableKey) as error:
        read_key(path)
    assert "hunter2" not in str(error.value)


def test_a_new_key_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "store.db.key"
    assert make_key(path) == read_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_all_who_make_a_key_at_once_get_the_same(tmp_path: Path) -> None:
    path = tmp_path / "store.db.key"
    with ThreadPoolExecutor(8) as threads:
        made = set(threads.map(make_key, [path] * 32))
    assert made == {read_key(path)}
    assert list(tmp_path.iterdir()) == [path]
