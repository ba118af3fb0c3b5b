from __future__ import annotations

from pathlib import Path

import pytest

from penstock.given_contents import given_contents
from proxy.failure import Failure

URL = "https://issuer.example.com/jwks?a=b"


def test_a_file_stands_for_every_url_or_for_one(tmp_path: Path) -> None:
    one, rest = tmp_path / "one.json", tmp_path / "rest.json"
    one.write_bytes(b"one")
    rest.write_bytes(b"rest")
    assert given_contents([])(URL) is None
    assert given_contents([f"{URL}={one}"])(URL) == b"one"
    assert given_contents([f"{URL}={one}"])("https://other/") is None
    assert given_contents([f"{URL}={one}", str(rest)])("https://other/") == b"rest"


def test_a_policy_s_own_files_are_read(tmp_path: Path) -> None:
    own, given = tmp_path / "own.json", tmp_path / "given.json"
    own.write_bytes(b"own")
    given.write_bytes(b"given")
    assert given_contents([str(given)])(own.as_uri()) == b"own"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="file-unreadable"):
        given_contents([str(tmp_path / "none.json")])
