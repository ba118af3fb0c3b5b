"""From pydantic's errors to problems with exact places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from policy.config import messages
from policy.config.shape import FieldShape, ListShape, MapShape, ModelShape, Shape, UnionShape
from policy.config.values import Path, ValueReader
from policy.problem import Problem
from policy.source import Node

KEY_STEP = "[key]"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPlaces:
    """Knows where the values of one configuration stand.

    `owner` is blamed for what is missing at the top.
    """

    reader: ValueReader
    shape: ModelShape
    owner: Node

    def problems(self, errors: Iterable[Any]) -> Iterator[Problem]:
        """Turn errors into problems; the branches of a union complain as one."""
        located = [self._located(error) for error in errors]
        said: set[Path] = set()
        for error in located:
            below = [other for other in located if other.path[: len(error.path)] == error.path]
            if error.type == "too_short" and any(other.path != error.path for other in below):
                continue  # pydantic counts the good entries only; the bad ones are reported
            if error.type == "missing":
                yield messages.missing_field(error)
            elif error.type not in messages.TYPE_ERRORS:
                yield messages.wrong_value(error)
            elif error.path not in said and all(_is_type_error(o, error.path) for o in below):
                said.add(error.path)
                expected = [messages.EXPECTED[other.type] for other in below]
                yield messages.wrong_type(expected, error)

    def follow(self, steps: Iterable[str | int]) -> Path:
        """Walk down a path of pydantic's as far as the document goes.

        Steps that only name a branch of a union are left out.
        """
        path: Path = ()
        for step in steps:
            if (*path, step) in self.reader.nodes:
                path = (*path, step)
        return path

    def _located(self, error: Any) -> messages.Error:
        steps = error["loc"]
        is_key = bool(steps) and steps[-1] == KEY_STEP
        path = self.follow(steps[:-1] if is_key else steps)
        nodes, keys = self.reader.nodes, self.reader.keys
        node: Node | None = keys.get(path) if is_key else nodes.get(path)
        place = (node or self.owner).place()
        if error["type"] == "missing" and (not path or path[-1] != steps[-1]):
            place = node.place() if path and node else self.owner.place()
            path, node = (*path, steps[-1]), None
        elif error["type"] == "missing" and path in keys:
            place = keys[path].place()
        return messages.Error(
            type=error["type"],
            path=path,
            context=error.get("ctx", {}),
            text=error["msg"],
            node=node,
            place=place,
            reference=_reference(self.shape, path),
        )


def _is_type_error(other: messages.Error, path: Path) -> bool:
    return other.type in messages.TYPE_ERRORS and other.path == path


def _reference(shape: Shape, path: Path) -> str | None:
    """Return the error name that the innermost field on a path has of its own."""
    found: str | None = None
    shapes = [shape]
    for step in path:
        below: list[Shape] = []
        for option in shapes:
            below += _below(option, step)
        fields = [field for option in shapes for field in _fields(option, step)]
        found = next((field.reference for field in fields if field.reference), found)
        shapes = below
    return found


def _options(shape: Shape) -> tuple[Shape, ...]:
    return shape.options if isinstance(shape, UnionShape) else (shape,)


def _fields(shape: Shape, step: str | int) -> list[FieldShape]:
    models = [option for option in _options(shape) if isinstance(option, ModelShape)]
    found = [model.field(step) for model in models if isinstance(step, str)]
    return [field for field in found if field is not None]


def _below(shape: Shape, step: str | int) -> list[Shape]:
    below: list[Shape] = [field.shape for field in _fields(shape, step)]
    for option in _options(shape):
        if isinstance(option, ListShape):
            below.append(option.item)
        elif isinstance(option, MapShape):
            below.append(option.value)
    return below
