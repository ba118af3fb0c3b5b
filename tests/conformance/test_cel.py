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

_STRAY_BACKSLASH = "wants a backslash in the value that the expression does not have"
_SPLIT = "split(sep, n) keeps the first n pieces and drops the rest (language spec, section 4)"
_PADDING = "base64 must be padded (language spec, section 4)"

# May only get shorter. Whole groups that the language lacks are left out by NEEDS.
EXCLUDED = {
    "parse/bytes_literals/triple_single_quoted_unescaped_punctuation": _STRAY_BACKSLASH,
    "parse/bytes_literals/triple_double_quoted_unescaped_punctuation": _STRAY_BACKSLASH,
    "string_ext/split/one_limit": _SPLIT,
    "encoders_ext/decode/hello_without_padding": _PADDING,
}
# Extensions whose functions the language has.
NEEDS: tuple[list[str], ...] = ([], ["strings"], ["base64"])

ROWS = load_rows()
CORE = [row for row in ROWS if row["needs"] in NEEDS and row["id"] not in EXCLUDED]


def test_every_excluded_row_exists() -> None:
    assert EXCLUDED.keys() <= {row["id"] for row in ROWS}


def test_the_core_of_the_suite_is_whole() -> None:
    assert sum(not row["needs"] for row in ROWS) == 1105


@pytest.mark.parametrize("row", [r for r in ROWS if r["id"] in EXCLUDED], ids=lambda r: r["id"])
def test_an_excluded_row_still_fails(row: Row) -> None:
    assert not same(outcome(row), decode_value(row["expect"]["value"]))


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
