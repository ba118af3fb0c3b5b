"""The public CEL conformance suite (google/cel-spec) against our implementation."""

from __future__ import annotations

import math
from typing import Any

import pytest

from policy.cel import CelError, ExpressionError, compile_expression
from policy.cel.compare import equals
from tests.conformance.cel_rows import (
    Row,
    activation_of,
    decode_value,
    environment_of,
    load_rows,
)

EXCLUDED: dict[str, str] = {}

ROWS = load_rows()
CORE = [row for row in ROWS if not row["needs"]]


def outcome(row: Row) -> Any:
    """Return the value of a row's expression, or the error that refused or ended it."""
    try:
        expression = compile_expression(row["expr"], environment_of(row))
        return expression.evaluate(activation_of(row))
    except (ExpressionError, CelError) as error:
        return error


def same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, float) and math.isnan(wanted):
        return isinstance(found, float) and math.isnan(found)
    if isinstance(found, tuple):
        found = list(found)
    same_kind = type(found) is type(wanted) or isinstance(wanted, list) or hasattr(wanted, "keys")
    return same_kind and equals(found, wanted)


@pytest.mark.parametrize("row", CORE, ids=[row["id"] for row in CORE])
def test_core_row(row: Row) -> None:
    found = outcome(row)
    if "error" in row["expect"]:
        assert isinstance(found, ExpressionError | CelError), found
    else:
        assert not isinstance(found, Exception), found
        assert same(found, decode_value(row["expect"]["value"])), found
