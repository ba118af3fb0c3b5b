from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.problem import PolicyError, Problem
from policy.source import (
    Mapping,
    Node,
    Scalar,
    Sequence,
    describe,
    is_null,
    parse_embedded,
    parse_source,
    read_source,
    why_text,
)
from policy.source.tree import ALIASED_NODES_LIMIT
from tests.case_files import case_files, check_case


def problems_of(text: str, name: str) -> tuple[Problem, ...]:
    return read_source(text, name=name).problems


@pytest.mark.parametrize("file", case_files("source"))
def test_a_source_gives_exactly_these_messages(file: Path) -> None:
    check_case(file, problems_of)


def plain(node: Node | None) -> Any:
    match node:
        case None:
            return None
        case Scalar():
            return node.value
        case Sequence():
            return [plain(item) for item in node.items]
        case Mapping():
            return {key.text: plain(value) for key, value in node.entries}


def refusal(data: bytes | str, **options: Any) -> Problem:
    with pytest.raises(PolicyError) as refused:
        parse_source(data, name="p.yml", **options)
    return refused.value.problems[0]


@pytest.mark.parametrize("data", ["", b"", "# comment", "\ufeff", b"\xef\xbb\xbf", "---", "\n \n"])
def test_an_empty_file_has_no_node(data: bytes | str) -> None:
    """T-YA-7."""
    assert parse_source(data, name="p.yml") is None


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


def sequence(text: str) -> Sequence:
    node = parse_source(text, name="p.yml")
    assert isinstance(node, Sequence)
    return node


def test_a_missing_value_is_described_as_nothing() -> None:
    node = parse_source("a:", name="p.yml")
    assert isinstance(node, Mapping)
    assert describe(node.entries[0][1]) == "nothing"
    assert is_null(node.get("a"))
    assert is_null(node.get("b"))
    assert node.key("b") is None


def test_an_alias_bomb_is_refused_early() -> None:
    """T-YA-1: by counting what aliases stand for, not by building it."""
    levels = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    levels += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    problem = refusal("\n".join(levels))
    assert problem.code == "too-many-aliases"
    assert problem.place.line == 5
    assert str(ALIASED_NODES_LIMIT) in problem.message


def test_an_alias_can_not_nest_deeper_than_the_limit() -> None:
    deep = "[" * 60 + "x" + "]" * 60
    problem = refusal(f"a: &a {deep}\nb: {'[' * 60}*a{']' * 60}")
    assert problem.code == "nested-too-deep"


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", '{"a":', "[[{"])
def test_deep_nesting_is_refused(opening: str) -> None:
    assert refusal(opening * 20_000).code in {"nested-too-deep", "yaml-syntax", "json-syntax"}


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    node = parse_source(b"\xef\xbb\xbfa: 1\na: 2".replace(b"\na: 2", b""), name="p.yml")
    assert isinstance(node, Mapping)
    assert node.entries[0][0].place().column == 1


@pytest.mark.parametrize(
    ("data", "code", "line", "column"),
    [
        (b"a: \xff", "not-utf-8", 1, 4),
        (b"a: b\nc: \xc3\xa9\xc3(", "not-utf-8", 2, 5),
        ("a: b".encode("utf-16"), "not-utf-8", 1, 1),
        ("a: b\nc: \0", "control-character", 2, 4),
        ("a: \x1b[0m", "control-character", 1, 4),
        ("a: b\ufeff", "control-character", 1, 5),
        ("a: \ud800", "control-character", 1, 4),
    ],
)
def test_what_is_no_text_is_refused_at_its_place(
    data: bytes | str, code: str, line: int, column: int
) -> None:
    """T-YA-7."""
    problem = refusal(data)
    assert (problem.code, problem.place.line, problem.place.column) == (code, line, column)


def test_a_document_over_the_limit_is_refused_unread() -> None:
    """T-YA-7."""
    assert refusal(b"\0" * (1024 * 1024 + 1)).code == "document-too-large"
    assert refusal("a: b", limit_bytes=3).code == "document-too-large"
    assert parse_source("a: b", name="p", limit_bytes=4) is not None


def test_a_tagged_or_anchored_scalar_begins_behind_its_marks() -> None:
    tree = read_source("a: !x &b 'c'", name="p.yml")
    assert [problem.code for problem in tree.problems] == ["yaml-tag"]
    assert isinstance(tree.root, Mapping)
    assert tree.root.entries[0][1].place().column == 10


def test_lines_are_counted_as_editors_count_them() -> None:
    for line_break in ["\n", "\r\n", "\r"]:
        node = parse_source(f"a: 1{line_break}{line_break}b: 2", name="p.yml")
        assert isinstance(node, Mapping)
        place = node.entries[1][0].place()
        assert (place.line, place.column, place.source_line) == (3, 1, "b: 2")


def test_json_may_be_what_yaml_is_not() -> None:
    """T-YA-8."""
    key = "k" * 2000
    node = parse_source(json.dumps({key: "\U0001f600\x85\u2028"}), name="p.json")
    assert plain(node) == {key: "\U0001f600\x85\u2028"}


def test_what_only_begins_like_json_is_read_as_yaml() -> None:
    assert plain(parse_source("{a: 1, b: [x]}", name="p")) == {"a": 1, "b": ["x"]}
    assert plain(parse_source("[1, 2] # two", name="p")) == [1, 2]


def test_an_embedded_document_has_places_in_the_outer_file() -> None:
    node = parse_source('policy: "a: 1\\nb: \\"x\\ty\\""', name="outer.yml")
    assert isinstance(node, Mapping)
    outer = node.entries[0][1]
    assert isinstance(outer, Scalar)
    inner = parse_embedded(outer).root
    assert isinstance(inner, Mapping)
    value = inner.get("b")
    assert isinstance(value, Scalar)
    place = value.place(1, 2)
    assert place.file == "outer.yml"
    assert place.source_line[place.column - 1 : place.end_column - 1] == "\\t"


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    check_reads_or_refuses(data)


yamlish = st.text(alphabet="ab:-?[]{}&*!|>'\"%@`#, \n\t\\x0u<=~\ufeff\u2028", max_size=40)


@given(yamlish)
def test_any_text_is_read_or_refused(text: str) -> None:
    check_reads_or_refuses(text)


def check_reads_or_refuses(data: bytes | str) -> None:
    try:
        tree = read_source(data, name="p.yml")
    except PolicyError as error:
        codes_of(error)
        return
    check_places(tree.root)


def codes_of(error: PolicyError) -> list[str]:
    assert error.problems
    return [problem.code for problem in error.problems]


def check_places(node: Node | None) -> None:
    if node is None:
        return
    place = node.place()
    assert place.line >= 1
    assert 1 <= place.column <= place.end_column
    match node:
        case Sequence():
            for item in node.items:
                check_places(item)
        case Mapping():
            for key, value in node.entries:
                check_places(key)
                check_places(value)


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
