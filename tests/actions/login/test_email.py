"""An address counts only if nobody can doubt it (OA-7)."""

from __future__ import annotations

import pytest

from actions.login.email import plain_email


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("a@example.com", "a@example.com"),
        ("A.b+c@Example.COM", "A.b+c@example.com"),
        ("o'neil@example.com", "o'neil@example.com"),
        ("a@localhost", "a@localhost"),
        ("a@good.com@evil.example", ""),
        ("a@evil.example@good.com", ""),
        ('"a@good.com"@evil.example', ""),
        ("a\x00@good.com", ""),
        ("a@good.com\x00.evil.example", ""),
        ("a @good.com", ""),
        ("a@good.com ", ""),
        ("a@good.com\n", ""),
        ("a@g\u00f6\u00f6d.com", ""),
        ("a@go\u03bfd.com", ""),
        ("\u0430@good.com", ""),
        ("a@good.com, b@evil.example", ""),
        ("<a@good.com>", ""),
        ("a@", ""),
        ("@good.com", ""),
        ("good.com", ""),
        ("a@good..com", ""),
        ("a@-good.com", ""),
        ("a@[127.0.0.1]", ""),
        ("a" * 65 + "@good.com", ""),
        ("a@" + "b." * 200 + "com", ""),
        ("", ""),
        (None, ""),
        (["a@good.com"], ""),
    ],
)
def test_an_address_can_be_read_in_one_way_only(address: object, expected: str) -> None:
    assert plain_email(address) == expected
