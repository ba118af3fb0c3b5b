from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.problem import PolicyError, Problem
from policy.source import (
    Mapping,
    Node,
    Scalar,
    Sequence,
    parse_embedded,
    parse_source,
    read_source,
)
from tests.case_files import case_files, check_case
from tests.policy.source.reading import codes_of, refusal


def problems_of(text: str, name: str) -> tuple[Problem, ...]:
    return read_source(text, name=name).problems


@pytest.mark.parametrize("file", case_files("source"))
def test_a_source_gives_exactly_these_messages(file: Path) -> None:
    check_case(file, problems_of)


@pytest.mark.parametrize("data", ["", b"", "# comment", "\ufeff", b"\xef\xbb\xbf", "---", "\n \n"])
def test_an_empty_file_has_no_node(data: bytes | str) -> None:
    """T-YA-7."""
    assert parse_source(data, name="p.yml") is None


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
