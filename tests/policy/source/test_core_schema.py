"""Which plain scalars are numbers and booleans, and how that is told (T-YA-5)."""

from __future__ import annotations

import pytest

from policy.source import Mapping, describe, is_null, parse_source, why_text
from tests.policy.source.reading import plain, sequence


@pytest.mark.parametrize("text", ["true", "True", "TRUE"])
def test_only_three_words_are_true(text: str) -> None:
    assert plain(parse_source(text, name="p.yml")) is True


TEXTS = [
    "yes", "no", "on", "off", "y", "012", "1_000", "22:22", "0b1", "1.2.3", "-", "+", ".", "0x",
    "1e", ".e5", "00.5", "2024-01-01", "<<", "=",
]  # fmt: skip


@pytest.mark.parametrize("text", [*TEXTS, "9" * 5000])
def test_what_the_core_schema_does_not_name_is_text(text: str) -> None:
    """T-YA-5."""
    assert plain(parse_source(f"[{text!r}, {text}]".replace("'", '"'), name="p")) == [text, text]


VALUES = {
    "12": 12, "-7": -7, "+7": 7, "0": 0, "0o17": 15, "0xFF": 255, "1.5": 1.5, "1.": 1.0,
    ".5": 0.5, "1e3": 1000.0, ".5e1": 5.0, "-.inf": float("-inf"), "~": None, "null": None,
    "false": False, '"12"': "12", "'true'": "true",
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), VALUES.items())
def test_the_core_schema_names_numbers_and_booleans(text: str, value: object) -> None:
    read = plain(parse_source(f"[{text}]", name="p"))
    assert read == [value]
    assert type(read[0]) is type(value)


@pytest.mark.parametrize(
    ("text", "said", "reason"),
    [
        ("12", "the number 12", None),
        ("1.50", "the number 1.50", None),
        ("true", "the boolean true", None),
        ("~", "~ (nothing)", None),
        ("''", "the text ''", None),
        ("yes", "the text 'yes'", "YAML 1.2 reads yes as text; booleans are true and false"),
        ("012", "the text '012'", "a number has no leading zero"),
        ("1_000", "the text '1_000'", "a number is written in digits only"),
        ("22:22", "the text '22:22'", "YAML 1.2 reads numbers with colons as text"),
        ("'12'", "the text '12'", "quotes make it text: leave them out"),
        ("'a b'", "the text 'a b'", None),
        ("abc", "the text 'abc'", None),
        ("[a]", "a list", None),
        ("{a: b}", "a map", None),
        ("x" * 50, f"the text '{'x' * 39}\u2026'", None),
    ],
)
def test_a_node_is_described_as_yaml_read_it(text: str, said: str, reason: str | None) -> None:
    """T-YA-5."""
    [item] = sequence(f"[{text}]").items
    assert describe(item) == said
    assert why_text(item) == reason


def test_a_missing_value_is_described_as_nothing() -> None:
    node = parse_source("a:", name="p.yml")
    assert isinstance(node, Mapping)
    assert describe(node.entries[0][1]) == "nothing"
    assert is_null(node.get("a"))
    assert is_null(node.get("b"))
    assert node.key("b") is None
