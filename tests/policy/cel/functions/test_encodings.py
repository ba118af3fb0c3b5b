"""Base64."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.cel.requests import assert_gives, failure_code


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("base64.encode('é')", "w6k="),
        ("base64.encode(b'\\xff')", "/w=="),
        ("'w6k='.decodeBase64()", "é"),
    ],
    ids=str,
)
def test_base64_is_written_and_read(text: str, wanted: Any) -> None:
    assert_gives(text, wanted)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("base64.decode('YQ')", "always-fails"),
        ("base64.decode('YQ==\\n')", "always-fails"),
        ("base64.decode('é')", "always-fails"),
        ("'/w=='.decodeBase64()", "always-fails"),
    ],
)
def test_what_is_no_base64_is_an_error(text: str, code: str) -> None:
    assert failure_code(text) == code
