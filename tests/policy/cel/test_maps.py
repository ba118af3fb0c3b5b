"""Map literals: keys of four types, none twice."""

from __future__ import annotations

from typing import Any

import pytest

from policy.cel import CelError
from tests.policy.cel.requests import value_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{test.any: 1}", 1.5),
        ("{test.any: 1, 'a': 2}", "a"),
    ],
    ids=str,
)
def test_a_key_of_another_type_is_an_error(text: str, value: Any) -> None:
    with pytest.raises(CelError):
        value_of(text, test_any=value)
