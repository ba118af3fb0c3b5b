"""YAML's own marks: tags and anchors stand before a scalar, and are no part of it."""

from __future__ import annotations

from policy.source import Mapping, read_source


def test_a_tagged_or_anchored_scalar_begins_behind_its_marks() -> None:
    tree = read_source("a: !x &b 'c'", name="p.yml")
    assert [problem.code for problem in tree.problems] == ["yaml-tag"]
    assert isinstance(tree.root, Mapping)
    assert tree.root.entries[0][1].place().column == 10
