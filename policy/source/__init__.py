"""From the bytes of a file to a tree of nodes that know their places.

YAML 1.2 (core schema) and JSON. Whatever the bytes are: a tree, or problems with places.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from policy.problem import PolicyError, Problem
from policy.source import messages
from policy.source.core_schema import describe, why_text
from policy.source.json_reader import looks_like_json, read_json
from policy.source.node import (
    Mapping,
    Node,
    Scalar,
    ScalarValue,
    Sequence,
    SourceText,
    Span,
    Style,
    is_null,
)
from policy.source.tree import TreeBuilder, Unreadable
from policy.source.yaml_reader import read_yaml

__all__ = [
    "DOCUMENT_LIMIT_BYTES", "Mapping", "Node", "Scalar", "ScalarValue", "Sequence", "SourceText",
    "SourceTree", "Span", "Style", "describe", "is_null", "parse_embedded", "parse_source",
    "read_source", "why_text",
]  # fmt: skip

DOCUMENT_LIMIT_BYTES: Final = 1024 * 1024
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTree:
    """A document that could be read: its root (None when empty) and what is wrong in details."""

    root: Node | None
    problems: tuple[Problem, ...] = ()


def parse_source(
    data: bytes | str, *, name: str, limit_bytes: int = DOCUMENT_LIMIT_BYTES
) -> Node | None:
    """Read a document; None when it is empty. Raises PolicyError with everything that is wrong."""
    tree = read_source(data, name=name, limit_bytes=limit_bytes)
    if tree.problems:
        raise PolicyError(tree.problems)
    return tree.root


def read_source(
    data: bytes | str, *, name: str, limit_bytes: int = DOCUMENT_LIMIT_BYTES
) -> SourceTree:
    """Read a document and go on behind what is wrong in details, such as a duplicate key.

    Raises PolicyError only where nothing can be read. A tree with problems is no valid document.
    """
    empty = SourceText(name, "")
    if len(data) > limit_bytes:
        raise PolicyError([messages.too_large(empty.place(0), limit_bytes)])
    text = data if isinstance(data, str) else _decoded(data, name)
    return _read(SourceText(name, text.removeprefix("\ufeff")))


def parse_embedded(scalar: Scalar) -> SourceTree:
    """Read the document that stands as text in a scalar; its places are those of the outer file.

    Raises PolicyError where nothing can be read.
    """
    return _read(SourceText(scalar.source.name, scalar.text, outer=scalar))


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        readable = SourceText(name, data.decode("utf-8", "replace"))
        place = readable.place(len(data[: error.start].decode("utf-8")))
        utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        raise PolicyError([messages.not_utf8(place, looks_utf16=utf16)]) from None


def _read(source: SourceText) -> SourceTree:
    forbidden = _FORBIDDEN.search(source.text)
    if forbidden:
        place = source.place(forbidden.start())
        raise PolicyError([messages.control_character(place, forbidden[0])])
    try:
        builder = _build(source)
    except Unreadable as error:
        raise PolicyError([error.problem]) from None
    return SourceTree(
        root=builder.root if not _is_empty(builder) else None, problems=tuple(builder.problems)
    )


def _build(source: SourceText) -> TreeBuilder:
    if not looks_like_json(source.text):
        return read_yaml(source)
    try:
        return read_json(source)
    except Unreadable as no_json:
        try:
            return read_yaml(source)
        except Unreadable as no_yaml:
            # Whichever reader came further understood more of the author's intention.
            raise (no_yaml if no_yaml.offset > no_json.offset else no_json) from None


def _is_empty(builder: TreeBuilder) -> bool:
    root = builder.root
    return isinstance(root, Scalar) and root.style is Style.PLAIN and not root.text
