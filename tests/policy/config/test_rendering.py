from __future__ import annotations

import pytest

from policy.config.rendering import compile_field, render_path
from policy.config.values import Path


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("to",), "to"),
        (("replacements", 0, "to"), "replacements[0].to"),
        (("pairs", 1, 2), "pairs[1][2]"),
    ],
)
def test_a_path_is_written_as_documents_name_it(path: Path, text: str) -> None:
    assert render_path(path) == text


def test_a_value_that_does_not_wait_is_given_as_it_is() -> None:
    value = {"a": ["b"]}
    assert compile_field(value, ("x",), {}, None)(None, None) is value
