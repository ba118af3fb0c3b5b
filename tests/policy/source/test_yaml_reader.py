"""YAML's own marks: tags and anchors stand before a scalar, and are no part of it."""

from __future__ import annotations

import pytest
import yaml

from policy.source import Mapping, read_source
from policy.source.node import SourceText
from policy.source.yaml_reader import read_yaml


def test_a_tagged_or_anchored_scalar_begins_behind_its_marks() -> None:
    tree = read_source("a: !x &b 'c'", name="p.yml")
    assert [problem.code for problem in tree.problems] == ["yaml-tag"]
    assert isinstance(tree.root, Mapping)
    assert tree.root.entries[0][1].place().column == 10


def test_p1_an_event_that_nobody_knows_is_no_empty_document(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Foreign:
        """What a parser of another version might give."""

    class Parser:
        def __init__(self, _text: str) -> None:
            self.events: list[object] = [Foreign()]

        def get_event(self) -> object:
            return self.events.pop() if self.events else None

        def dispose(self) -> None:
            """Let go."""

    monkeypatch.setattr(yaml, "CLoader", Parser)
    with pytest.raises(TypeError, match="Foreign"):
        read_yaml(SourceText("policy.yml", "on_http_request: []"))
