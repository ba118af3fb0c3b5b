"""JSON is read as JSON, which YAML alone does not always do (T-YA-8)."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from policy.problem import PolicyError
from policy.source import parse_source
from tests.policy.source.reading import codes_of, plain


def test_json_may_be_what_yaml_is_not() -> None:
    """T-YA-8."""
    key = "k" * 2000
    node = parse_source(json.dumps({key: "\U0001f600\x85\u2028"}), name="p.json")
    assert plain(node) == {key: "\U0001f600\x85\u2028"}


def test_what_only_begins_like_json_is_read_as_yaml() -> None:
    assert plain(parse_source("{a: 1, b: [x]}", name="p")) == {"a": 1, "b": ["x"]}
    assert plain(parse_source("[1, 2] # two", name="p")) == [1, 2]


texts = st.text(st.characters(codec="utf-8"))
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), texts),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(texts, inner)),
    max_leaves=12,
)


@given(json_values, st.sampled_from([None, 2]))
def test_json_is_read_as_json(value: object, indent: int | None) -> None:
    """T-YA-8."""
    text = json.dumps([value], indent=indent)
    if "Infinity" in text:
        return
    try:
        read = plain(parse_source(text, name="p.json"))
    except PolicyError as error:
        read = codes_of(error)
        value = ["control-character"]
    else:
        value = [value]
    assert read == value
