"""From nodes to the plain values that pydantic checks, with the templates found on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from policy.cel import Environment, Finding
from policy.config import messages
from policy.config.shape import (
    FieldShape,
    LeafShape,
    ListShape,
    MapShape,
    ModelShape,
    Shape,
    UnionShape,
)
from policy.config_types import Interpolated, Pending
from policy.problem import Problem
from policy.source import Mapping, Node, Scalar, Sequence, is_null
from policy.template import Template, TemplateError, lint_literal, parse_template

Path: TypeAlias = tuple[str | int, ...]

_ANY = LeafShape()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingText:
    """A string that is rendered per request, and where it stands in the configuration."""

    path: Path
    template: Template
    interpolated: Interpolated


@dataclass(slots=True)
class ValueReader:
    """Reads one configuration. Afterwards it holds what was wrong and what waits for a request.

    `nodes` and `keys` tell where each value stands and under which key; `unusable` are the paths
    of values whose problem is told already.
    """

    environment: Environment | None
    problems: list[Problem] = field(default_factory=list)
    waiting: dict[Path, WaitingText] = field(default_factory=dict)
    unusable: set[Path] = field(default_factory=set)
    nodes: dict[Path, Node] = field(default_factory=dict)
    keys: dict[Path, Scalar] = field(default_factory=dict)

    def read_model(
        self, node: Mapping, shape: ModelShape, path: Path, around: Interpolated | None = None
    ) -> dict[str, Any]:
        """Read a map with named fields; unknown ones are reported and left out."""
        values: dict[str, Any] = {}
        self.nodes[path] = node
        for key, child in node.entries:
            known = self._field(shape, key)
            if known is None:
                self.problems.append(messages.unknown_field(key, shape))
                continue
            below = (*path, known.key)
            if below in self.nodes:
                self.problems.append(messages.named_twice(key, known.key))
                continue
            self.keys[below], self.nodes[below] = key, child
            if not is_null(child):
                interpolated = known.interpolated or around
                values[known.key] = self.read(child, known.shape, below, interpolated)
        return values

    def _field(self, shape: ModelShape, key: Scalar) -> FieldShape | None:
        for known in shape.fields:
            if key.text == known.key:
                return known
            if key.text in known.former_names:
                self.problems.append(messages.former_name(key, known.key))
                return known
        return None

    def read(self, node: Node, shape: Shape, path: Path, interpolated: Interpolated | None) -> Any:
        """Read any node as the value that a shape asks for."""
        shape = _option_for(node, shape)
        self.nodes[path] = node
        match node:
            case Scalar():
                return self._read_scalar(node, shape, path, interpolated)
            case Sequence():
                item = shape.item if isinstance(shape, ListShape) else _ANY
                items = [
                    self.read(child, item, (*path, index), interpolated)
                    for index, child in enumerate(node.items)
                ]
                is_tuple = isinstance(shape, ListShape) and shape.is_tuple
                return tuple(items) if is_tuple else items
            case Mapping() if isinstance(shape, ModelShape):
                return self.read_model(node, shape, path, interpolated)
            case Mapping():
                value = shape.value if isinstance(shape, MapShape) else _ANY
                self.keys.update({(*path, key.text): key for key, _ in node.entries})
                return {
                    key.text: self.read(child, value, (*path, key.text), interpolated)
                    for key, child in node.entries
                }

    def _read_scalar(
        self, node: Scalar, shape: Shape, path: Path, interpolated: Interpolated | None
    ) -> Any:
        if isinstance(node.value, str):
            if interpolated is None or self.environment is None:
                return node.text
            return self._read_template(node, path, interpolated, self.environment)
        if isinstance(shape, LeafShape) and shape.is_from_scalar and node.value is not None:
            return node.text
        return node.value

    def _read_template(
        self, node: Scalar, path: Path, interpolated: Interpolated, environment: Environment
    ) -> str:
        try:
            template = parse_template(node.text, environment)
        except TemplateError as error:
            self.unusable.add(path)
            self._report(node, error.findings)
            return Pending(node.text)
        if isinstance(template, str):
            self._report(node, lint_literal(node.text, environment))
            return template
        self._report(node, template.warnings)
        complaint = interpolated.check(template.literals) if interpolated.check else None
        if complaint:
            self.unusable.add(path)
            self.problems.append(messages.unfit_template(node, complaint))
        self.waiting[path] = WaitingText(path=path, template=template, interpolated=interpolated)
        return Pending(node.text)

    def _report(self, node: Scalar, findings: Iterable[Finding]) -> None:
        self.problems += [messages.inside(node, finding) for finding in findings]


def _option_for(node: Node, shape: Shape) -> Shape:
    if not isinstance(shape, UnionShape):
        return shape
    wanted: dict[type, type | tuple[type, ...]] = {
        Scalar: LeafShape,
        Sequence: ListShape,
        Mapping: (ModelShape, MapShape),
    }
    kinds = wanted[type(node)]
    return next((option for option in shape.options if isinstance(option, kinds)), _ANY)
