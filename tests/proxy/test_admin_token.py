"""Which files hold a token, and who has shown it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.admin_token import AdminToken, UnusableToken, read_token

TEXT = "mK3ySmk2x0rJt4pUQ1ZkVw8vBzGdN7eLhXcRfTyAo5I="
TOKEN = AdminToken.of(TEXT)

SHOWN = {
    "as it is": [f"Bearer {TEXT}"],
    "scheme in other case": [f"bearer  {TEXT}"],
}
NOT_SHOWN = {
    "nothing": [],
    "no value": [""],
    "no scheme": [TEXT],
    "other scheme": [f"Basic {TEXT}"],
    "no token": ["Bearer "],
    "one character less": [f"Bearer {TEXT[:-1]}"],
    "one character more": [f"Bearer {TEXT}="],
    "other case": [f"Bearer {TEXT.lower()}"],
    "something after it": [f"Bearer {TEXT} x"],
    "twice": [f"Bearer {TEXT}"] * 2,
    "among others": ["Bearer other", f"Bearer {TEXT}"],
    "surrogates": ["Bearer \udcff"],
}


@pytest.mark.parametrize("values", SHOWN.values(), ids=SHOWN)
def test_who_shows_the_token_has_it(values: list[str]) -> None:
    assert TOKEN.is_shown_in(values)


@pytest.mark.parametrize("values", NOT_SHOWN.values(), ids=NOT_SHOWN)
def test_t_ad_1_nobody_else_has_it(values: list[str]) -> None:
    assert not TOKEN.is_shown_in(values)


@given(st.lists(st.text(), max_size=3))
def test_whatever_is_shown_it_is_looked_at(values: list[str]) -> None:
    assert not TOKEN.is_shown_in(values)


def test_the_token_is_not_in_what_is_kept_of_it() -> None:
    assert TEXT not in repr(TOKEN)
    assert TEXT.encode() not in TOKEN.digest


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_file_holds_one_token(tmp_path: Path, end: str) -> None:
    file = tmp_path / "token"
    file.write_bytes(f"{TEXT}{end}".encode())
    assert read_token(file) == TEXT


NO_TOKENS = {
    "empty": b"",
    "a password": b"correct-horse-battery",
    "two lines": f"{TEXT}\n{TEXT}\n".encode(),
    "a space": f"Bearer {TEXT}".encode(),
    "far too long": b"x" * 513,
    "no text": b"\xff" * 40,
    "other letters": ("ü" * 40).encode(),
}


@pytest.mark.parametrize("content", NO_TOKENS.values(), ids=NO_TOKENS)
def test_a_file_that_holds_no_token_is_refused_and_not_shown(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(UnusableToken) as refused:
        read_token(file)
    assert "horse" not in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableToken, match="no such file"):
        read_token(tmp_path / "none")
