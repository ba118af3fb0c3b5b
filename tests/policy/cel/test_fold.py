"""What is computed at load, and what is not."""

from __future__ import annotations

import pytest

from policy.cel import CelError
from policy.cel.types import STRING
from policy.cel.values import Timestamp
from tests.policy.cel.requests import Values, compiled, value_of


def test_a_constant_is_computed_once() -> None:
    assert value_of("timestamp('2026-01-01T00:00:00Z')") == Timestamp(1_767_225_600_000_000_000)
    assert compiled("'a'.upperAscii()").type == STRING


@pytest.mark.parametrize(
    "text",
    [
        "dyn(1).startsWith('a')",
        "dyn(1).sha256()",
        "dyn(1).join(',')",
        "[].join(dyn(1))",
        "inCidrRange(req.host, dyn(1))",
        "dyn(1).matches('a')",
        "'a'.matches(dyn(1))",
    ],
)
def test_a_constant_behind_dyn_is_computed_when_the_expression_runs(text: str) -> None:
    with pytest.raises(CelError):
        compiled(text).evaluate(Values())
