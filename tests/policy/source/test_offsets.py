from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policy.problem import PolicyError
from policy.source import Mapping, Scalar, parse_source


def scalar_of(document: str) -> Scalar:
    root = parse_source(document, name="p.yml")
    assert isinstance(root, Mapping)
    node = root.entries[0][1]
    assert isinstance(node, Scalar)
    return node


def written_for(scalar: Scalar, index: int) -> str:
    """What the file says for one decoded character."""
    place = scalar.place(index, index + 1)
    return place.source_line[place.column - 1 : place.end_column - 1]


@pytest.mark.parametrize(
    ("document", "written"),
    [
        pytest.param("k: a b", ["a", " ", "b"], id="plain"),
        pytest.param("k: a\n  b", ["a", "", "b"], id="plain-folded"),
        pytest.param("k: 'a''b'", ["a", "''", "b"], id="single"),
        pytest.param("k: 'a \n\n  b'", ["a", "", "b"], id="single-paragraph"),
        pytest.param(r'k: "a\n\"\x41\u00e9\U0001f600/"', None, id="double-escapes"),
        pytest.param('k: "a\\\n   b"', ["a", "b"], id="double-continued"),
        pytest.param('k: "a\\\n\n   b"', ["a", "", "b"], id="double-continued-paragraph"),
        pytest.param('k: "a\n  b\\ "', ["a", "", "b", "\\ "], id="double-folded"),
        pytest.param("k: |\n  a\n   b\n", ["a", "", " ", "b", ""], id="literal"),
        pytest.param("k: |2-\n   a\n", [" ", "a"], id="literal-indented"),
        pytest.param("k: >\n  a\n  b\n\n  c\n", ["a", "", "b", "", "c", ""], id="folded"),
        pytest.param("k: >+\n  a\n\n", ["a", "", ""], id="folded-keep"),
        pytest.param("k: >-\n\n  a\n   b\n  c\n", None, id="folded-more-indented"),
        pytest.param('{"k": "a\x85 \\n"}', ["a", "\x85", " ", "\\n"], id="json-unfolded"),
        pytest.param('{"k": "\\ud83d\\ude00x"}', ["\\ud83d\\ude00", "x"], id="json-pair"),
    ],
)
def test_each_character_is_where_it_was_written(document: str, written: list[str] | None) -> None:
    scalar = scalar_of(document)
    found = [written_for(scalar, index) for index in range(len(scalar.text))]
    if written is None:
        written = {
            'a\n"A\u00e9\U0001f600/': ["a", "\\n", '\\"', "\\x41", "\\u00e9", "\\U0001f600", "/"],
            "\na\n b\nc": ["", "a", "", " ", "b", "", "c"],
        }[scalar.text]
    assert found == written


def test_a_stretch_ends_with_its_line() -> None:
    scalar = scalar_of("k: >\n  one two\n  three\n")
    place = scalar.place(4, 13)
    assert (place.line, place.column, place.end_column) == (2, 7, 10)
    place = scalar.place(8, 13)
    assert (place.line, place.column, place.end_column) == (3, 3, 8)


def test_the_end_of_a_text_has_a_place() -> None:
    place = scalar_of("k: 'ab'").place(2, 2)
    assert (place.line, place.column) == (1, 7)
    assert scalar_of("k: ''").place(0, 0).column == 4


def test_without_a_stretch_the_whole_scalar_is_meant() -> None:
    assert written_whole("k: 'ab'") == "'ab'"
    assert written_whole("k: |\n  ab\n") == "ab"
    assert written_whole("k: &x 'ab'") == "'ab'"


def written_whole(document: str) -> str:
    place = scalar_of(document).place()
    return place.source_line[place.column - 1 : place.end_column - 1]


letters = st.text(alphabet="ab 'é😀\"\\#:-\t\n${}\u2028\x85", max_size=24)
styles = st.sampled_from(["", "'", '"', "|", ">"])


@given(letters, styles, st.integers(10, 40), st.booleans())
def test_the_mapping_agrees_with_what_was_dumped(
    text: str,
    style: str,
    width: int,
    unicode: bool,  # noqa: FBT001
) -> None:
    document = yaml.dump(
        {"k": text}, default_style=style or None, width=width, allow_unicode=unicode
    )
    scalar = scalar_of(document)
    # PyYAML's own writer does not keep a lone NEL; what was read counts.
    assert scalar.text == text or "\x85" in text
    check_every_character(scalar)


written_lines = st.lists(
    st.sampled_from(["a", " b", "  c", "", " ", "\td", "é'e", "f "]), max_size=6
)


@given(
    st.sampled_from(["|", ">", "|-", ">+", "|+", ">2", "|1-", "> # note"]),
    written_lines,
    st.integers(0, 3),
    st.sampled_from(["\n", "\r\n", "\r", "\x85", "\u2028"]),
)
def test_the_mapping_agrees_on_block_scalars(
    header: str, lines: list[str], indent: int, line_break: str
) -> None:
    body = line_break.join(" " * indent + line for line in lines)
    check_if_valid(f"k: {header}{line_break}{body}")


@given(st.sampled_from(["", "'", '"']), written_lines, st.sampled_from(["\n", "\r\n", "\u2028"]))
def test_the_mapping_agrees_on_folded_lines(quote: str, lines: list[str], line_break: str) -> None:
    body = (line_break + "  ").join(line.replace("'", "''" if quote else "") for line in lines)
    check_if_valid(f"k: {quote}{body}{quote}")


@given(st.text(alphabet='ab\\"nxu0 4\n/N_L', max_size=20))
def test_the_mapping_agrees_on_escapes(body: str) -> None:
    check_if_valid(f'k: "{body}"')


@given(st.text(max_size=12), st.booleans())
def test_the_mapping_agrees_on_json(text: str, ascii_only: bool) -> None:  # noqa: FBT001
    text = text.encode("utf-8", "ignore").decode()
    check_if_valid(json.dumps({"k": text}, ensure_ascii=ascii_only), text)


def check_if_valid(document: str, text: str | None = None) -> None:
    try:
        scalar = scalar_of(document)
    except (PolicyError, AssertionError, IndexError):
        return
    assert text is None or scalar.text == text
    check_every_character(scalar)


def check_every_character(scalar: Scalar) -> None:
    spans = scalar._spans()
    assert len(spans) == len(scalar.text)
    assert spans == sorted(spans)
    assert all(start < end for start, end in spans)
    if len(spans) > 1:
        # The fallback gives every character the same span.
        assert len(set(spans)) == len(spans)
    for character, (start, end) in zip(scalar.text, spans, strict=True):
        written = scalar.source.text[start:end]
        if len(written) == 1 and written not in "\n\r\x85\u2028\u2029":
            assert character == written
