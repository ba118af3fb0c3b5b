"""Digests in every encoding."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.cel.requests import assert_gives, failure_code


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("'hello'.sha256()", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
        ("hash.md5('hello', 'base64')", "XUFAKrxLKna5cZ2REBfFkg=="),
        ("hash.md5('', 'hex') == ''.md5()", True),
        ("hash.sha512('').size()", 128),
    ],
    ids=str,
)
def test_digests_come_in_every_encoding(text: str, wanted: Any) -> None:
    assert_gives(text, wanted)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hash.md5('a', 'octal')", "always-fails"),
    ],
)
def test_an_unknown_encoding_is_an_error(text: str, code: str) -> None:
    assert failure_code(text) == code
