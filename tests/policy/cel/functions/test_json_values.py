"""JSON: values and texts, strictly both ways."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.cel.requests import assert_gives, failure_code


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "json.decode('[1, 1.5, 12345678901234567890, null, true]')",
            [1, 1.5, 1.2345678901234567e19, None, True],
        ),
        (
            "json.encode({'b': [b'a', null, 1.0, timestamp('2026-01-01T00:00:00Z')]})",
            '{"b":["YQ==",null,1.0,"2026-01-01T00:00:00Z"]}',
        ),
        ("{'a': {'é': 1}}.encodeJson()", '{"a":{"é":1}}'),
        ("'{'.isJson() || '[NaN]'.isJson() || ''.isJson()", False),
        ("'1'.isJson()", True),
    ],
    ids=str,
)
def test_json_is_written_and_read(text: str, wanted: Any) -> None:
    assert_gives(text, wanted)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("json.decode('{')", "always-fails"),
        ("json.decode('NaN')", "always-fails"),
        ("json.encode(double('NaN'))", "always-fails"),
        ("json.encode(type(1))", "always-fails"),
    ],
)
def test_what_is_no_json_is_an_error(text: str, code: str) -> None:
    assert failure_code(text) == code
