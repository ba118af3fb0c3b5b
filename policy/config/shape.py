"""What a configuration class looks like from outside: its fields, how deep, and their marks.

Worked out once per class; reading a document and describing the fields both follow it.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, TypeAlias, TypeVar, Union, get_args, get_origin

from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.fields import FieldInfo

from policy.action import Doc
from policy.config_types import FormerName, FromScalar, Interpolated, Reference

M = TypeVar("M")

_SEQUENCES = (list, tuple, set, frozenset, Sequence, Iterable)
_MAPPINGS = (dict, Mapping)


@dataclass(frozen=True, slots=True)
class LeafShape:
    """A value whose parts are not described: scalars, `Any`, types of their own."""

    annotation: Any = Any
    metadata: tuple[Any, ...] = ()

    @property
    def is_from_scalar(self) -> bool:
        """Tell whether numbers and booleans are taken as the text that stands there."""
        return any(isinstance(mark, FromScalar) for mark in self.metadata)


@dataclass(frozen=True, slots=True)
class ListShape:
    """A list; read as a tuple where the class wants one."""

    item: Shape
    metadata: tuple[Any, ...] = ()
    is_tuple: bool = False


@dataclass(frozen=True, slots=True)
class MapShape:
    """A map from names to values of one kind."""

    key: Shape
    value: Shape
    metadata: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class UnionShape:
    """One of several, told apart by the kind of node."""

    options: tuple[Shape, ...]
    metadata: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A map with named fields."""

    model: type[BaseModel]
    fields: tuple[FieldShape, ...]
    metadata: tuple[Any, ...] = ()

    def field(self, key: str) -> FieldShape | None:
        """Return a field by the name that documents use, or by Python's name for it."""
        for field in self.fields:
            if key in (field.key, field.name):
                return field
        return None


@dataclass(frozen=True, slots=True)
class FieldShape:
    """One field: `key` is its name in documents, `name` in Python."""

    name: str
    key: str
    shape: Shape
    info: FieldInfo

    def mark(self, kind: type[M]) -> M | None:
        """Return the field's mark of a kind, None without one."""
        return next((mark for mark in self.info.metadata if isinstance(mark, kind)), None)

    @property
    def interpolated(self) -> Interpolated | None:
        """How its strings are interpolated; None for not at all."""
        return self.mark(Interpolated)

    @property
    def reference(self) -> str | None:
        """The language's error name for refused values, where the field has one of its own."""
        mark = self.mark(Reference)
        return mark.name if mark else None

    @property
    def former_names(self) -> tuple[str, ...]:
        """Names of the past that are accepted with a warning."""
        return tuple(mark.name for mark in self.info.metadata if isinstance(mark, FormerName))

    @property
    def doc(self) -> str:
        """The sentence about it, "" without one."""
        mark = self.mark(Doc)
        return mark.text if mark else ""


Shape: TypeAlias = LeafShape | ListShape | MapShape | UnionShape | ModelShape


@cache
def model_shape(model: type[BaseModel]) -> ModelShape:
    """Return the shape of a configuration class."""
    fields = tuple(_field_shape(name, info) for name, info in model.model_fields.items())
    return ModelShape(model, fields)


def _field_shape(name: str, info: FieldInfo) -> FieldShape:
    alias = info.validation_alias or info.alias or name
    if isinstance(alias, AliasChoices | AliasPath):
        raise TypeError(f"field {name!r}: use the mark FormerName instead of several aliases")
    return FieldShape(name, alias, shape_of(info.annotation, tuple(info.metadata)), info)


def shape_of(annotation: Any, metadata: tuple[Any, ...] = ()) -> Shape:
    """Return the shape of a type annotation; `metadata` are the marks around it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return shape_of(arguments[0], (*annotation.__metadata__, *metadata))
    if origin in (Union, types.UnionType):
        return _union_shape(arguments, metadata)
    if origin in _SEQUENCES and arguments:
        is_tuple = origin is tuple
        return ListShape(shape_of(arguments[0]), metadata, is_tuple)
    if origin in _MAPPINGS and arguments:
        return MapShape(shape_of(arguments[0]), shape_of(arguments[1]), metadata)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return replace(model_shape(annotation), metadata=metadata)
    return LeafShape(annotation, metadata)


def _union_shape(arguments: tuple[Any, ...], metadata: tuple[Any, ...]) -> Shape:
    options = [shape_of(argument) for argument in arguments if argument is not type(None)]
    if len(options) == 1:
        [only] = options
        return replace(only, metadata=(*only.metadata, *metadata))
    return UnionShape(tuple(options), metadata)
