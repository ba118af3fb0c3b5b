"""Decodes one configuration: everything that no request is needed for is checked at load."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from policy.cel import Environment
from policy.config import messages
from policy.config.errors import ErrorPlaces
from policy.config.rendering import OnFailure, Render, compile_field, render_path
from policy.config.shape import FieldShape, model_shape
from policy.config.values import Path, ValueReader
from policy.config_types import Pending
from policy.net import Note
from policy.problem import Place, Problem, Severity, has_errors, sorted_problems
from policy.source import Mapping, Node, Span, is_null
from policy.template import InterpolationError

C = TypeVar("C", bound=BaseModel)


class ConfigValueError(InterpolationError):
    """A rendered value that its field does not accept. Names the field, never the value.

    `code` is that of the refusal; `reference` the language's own error name.
    """

    def __init__(self, code: str, *, field: str, reference: str | None) -> None:
        super().__init__(code, "the interpolated value can't be used here", field=field)
        self.reference = reference or messages.WRONG_VALUE


@dataclass(frozen=True, slots=True)
class DecodedConfig(Generic[C]):
    """A checked configuration.

    `static` is the configuration itself when no part of it waits for a request, else None and
    `resolve` makes it per request. `sample` is what is known at load: texts that wait are
    `Pending`; None when what waits can't even be shaped without a request.
    """

    static: C | None
    sample: C | None
    resolve: Callable[..., C]
    """`resolve(activation, failed=None)`: `failed` hears of parts that a field lets fail.

    Raises InterpolationError, and its kind ConfigValueError.
    """
    places: Callable[[Path], Place]
    """The place of a field, by its path in the document."""


def decode_config(
    node: Node | None, config_type: type[C], environment: Environment | None, *, owner: Node
) -> tuple[DecodedConfig[C] | None, tuple[Problem, ...]]:
    """Decode the configuration at a node (None: there is none) against its class.

    Returns it, or None when anything is wrong with it, and all problems, warnings included.
    Without an environment nothing is interpolated. `owner` is the node that is blamed when a
    required field is missing: the action's type.
    """
    if node is None or is_null(node):
        node = Mapping(owner.source, Span(owner.span.start, owner.span.start), ())
    if not isinstance(node, Mapping):
        return None, (messages.not_a_map(node),)
    return _Decoding(node, config_type, environment, owner).decode()


class _Decoding(Generic[C]):
    """The steps of decoding one configuration."""

    def __init__(
        self, node: Mapping, config_type: type[C], environment: Environment | None, owner: Node
    ) -> None:
        self.config_type = config_type
        self.shape = model_shape(config_type)
        self.reader = ValueReader(environment)
        self.values = self.reader.read_model(node, self.shape, ())
        self.places = ErrorPlaces(reader=self.reader, shape=self.shape, owner=owner)
        self.unshaped = False

    def decode(self) -> tuple[DecodedConfig[C] | None, tuple[Problem, ...]]:
        config = self._checked()
        problems = self.reader.problems
        if config is not None:
            problems += self._notes(config)
        if config is None or has_errors(problems):
            return None, sorted_problems(problems)
        return self._decoded(config), sorted_problems(problems)

    def _checked(self) -> C | None:
        """Check everything; what waits for a request may fail as long as it waits."""
        if not self.reader.waiting and not self.reader.unusable:
            return self._validated(self.config_type, None)
        waiting_keys = {path[0] for path in (*self.reader.waiting, *self.reader.unusable)}
        tolerance = _Tolerance({str(key) for key in waiting_keys})
        config = self._validated(_tolerant(self.config_type), tolerance)
        self._report(tolerance.located_errors())
        self.unshaped = bool(tolerance.errors)
        return config

    def _validated(self, config_type: type[C], tolerance: _Tolerance | None) -> C | None:
        try:
            return config_type.model_validate(self.values, context=tolerance)
        except ValidationError as error:
            self._report(error.errors(include_url=False))
            return None

    def _report(self, errors: Iterable[Any]) -> None:
        told = [error for error in errors if not self._is_told_later(error)]
        self.reader.problems += self.places.problems(told)

    def _is_told_later(self, error: Any) -> bool:
        """Leave out errors about what waits or is told already, and about what holds it."""
        path = self.places.follow(error["loc"])
        for other in (*self.reader.waiting, *self.reader.unusable):
            is_at_or_below = path[: len(other)] == other
            holds_it = path and other[: len(path)] == path
            if is_at_or_below or (holds_it and not _is_certain(error)):
                return True
        return False

    def _decoded(self, config: C) -> DecodedConfig[C]:
        if not self.reader.waiting:
            return DecodedConfig(
                config, config, lambda _activation, _failed=None: config, self._place
            )
        resolver = _Resolver(_assignable(self.config_type), config, list(self._waiting_fields()))
        sample = None if self.unshaped else self._sample(config)
        return DecodedConfig(None, sample, resolver.resolve, self._place)

    def _waiting_fields(self) -> Iterator[tuple[FieldShape, Render]]:
        for field in self.shape.fields:
            path: Path = (field.key,)
            if any(waiting[:1] == path for waiting in self.reader.waiting):
                value = self.values[field.key]
                yield field, compile_field(value, path, self.reader.waiting, field.interpolated)

    def _sample(self, config: C) -> C:
        """Put the texts that wait back where pydantic has made plain text of them."""
        sample = copy.copy(config)
        for path, waiting in self.reader.waiting.items():
            field = self.shape.field(str(path[0]))
            if field is not None:
                text = Pending(waiting.template.text)
                _put(sample.__dict__, (field.name, *path[1:]), text)
        return sample

    def _place(self, path: Path) -> Place:
        return (self.reader.nodes.get(self.places.follow(path)) or self.places.owner).place()

    def _notes(self, config: C) -> list[Problem]:
        """Collect the warnings that values have about themselves."""
        problems = []
        for field in self.shape.fields:
            notes: tuple[Note, ...] = getattr(getattr(config, field.name, None), "notes", ())
            for note in notes:
                place = self._place((field.key, *note.path))
                problems.append(
                    Problem(
                        code=note.code,
                        message=note.message,
                        place=place,
                        severity=Severity.WARNING,
                        hint=note.hint,
                    )
                )
        return problems


def _is_certain(error: Any) -> bool:
    return error["type"] in messages.LENGTH_ERRORS or bool(error.get("ctx", {}).get("certain"))


def _put(container: Any, path: Path, text: Pending) -> None:
    """Replace a text inside dicts and lists; what is no dict or list is left alone."""
    for step in path[:-1]:
        if not isinstance(container, dict | list):
            return
        # Any: a step into a list is an int and one into a dict a str, by construction.
        steps: Any = container
        container = steps[step]
    if isinstance(container, dict | list):
        last: Any = container
        if type(last[path[-1]]) is str:
            last[path[-1]] = text


# --- checking at load --------------------------------------------------------------------------


class _Tolerance:
    """Collects what the waiting fields of one configuration complain about."""

    def __init__(self, keys: set[str]) -> None:
        self.keys = keys
        self.errors: list[tuple[str, ValidationError]] = []

    def located_errors(self) -> Iterator[Any]:
        for key, raised in self.errors:
            for error in raised.errors(include_url=False):
                yield {**error, "loc": (key, *error["loc"])}


@cache
def _tolerant(config_type: type[C]) -> type[C]:
    """Make a kind of a class whose waiting fields keep their raw value when they don't fit."""
    keys = {field.name: field.key for field in model_shape(config_type).fields}

    class Tolerant(config_type):  # type: ignore[valid-type,misc]  # the class is a parameter
        @field_validator("*", mode="wrap")
        @classmethod
        def _tolerate(cls, value: Any, handler: Any, info: ValidationInfo[_Tolerance]) -> Any:
            key = keys[info.field_name or ""]
            if key not in info.context.keys:
                return handler(value)
            try:
                return handler(value)
            except ValidationError as error:
                info.context.errors.append((key, error))
                return value

    return Tolerant


# --- resolving per request ---------------------------------------------------------------------


@cache
def _assignable(config_type: type[C]) -> type[C]:
    """Make a kind of a class whose fields can be set, checked as on creation."""

    class Assignable(config_type):  # type: ignore[valid-type,misc]  # the class is a parameter
        model_config = ConfigDict(frozen=False, validate_assignment=True, defer_build=False)

    Assignable.__name__ = config_type.__name__
    Assignable.__qualname__ = config_type.__qualname__
    return Assignable


@dataclass(frozen=True, slots=True)
class _Known(Generic[C]):
    """Gives the configuration that is the same for every request."""

    config: C

    def resolve(self, _activation: Any, _failed: OnFailure | None = None) -> C:
        return self.config


class _Resolver(Generic[C]):
    """Makes the configuration for one request: renders and checks only what waits.

    What is text alone and was the same the last time makes the same configuration: a secret from
    a vault is checked once, and what an action derives from its configuration is derived once.
    """

    __slots__ = ("_assign", "_fields", "_last", "_pristine")

    def __init__(
        self, config_type: type[C], known: C, fields: list[tuple[FieldShape, Render]]
    ) -> None:
        self._pristine = config_type.model_construct(known.model_fields_set)
        for name in config_type.model_fields:
            self._pristine.__dict__[name] = getattr(known, name)
        self._assign = config_type.__pydantic_validator__.validate_assignment
        self._fields = [
            (field.name, field.key, field.reference, render) for field, render in fields
        ]
        self._last: tuple[list[Any], C] | None = None

    def resolve(self, activation: Any, failed: OnFailure | None = None) -> C:
        values = [render(activation, failed) for _, _, _, render in self._fields]
        last = self._last
        if last is not None and last[0] == values:
            return last[1]
        config = copy.copy(self._pristine)
        for (name, key, reference, _), value in zip(self._fields, values, strict=True):
            try:
                self._assign(config, name, value)
            except ValidationError as error:
                raise _refused(error, key, reference) from None
        if _is_text(values):
            self._last = values, config
        return config


def _is_text(value: Any) -> bool:
    """Tell whether what equals a value is the same value: not so of 1, 1.0 and true."""
    if isinstance(value, list):
        return all(map(_is_text, value))
    if isinstance(value, dict):
        return all(map(_is_text, value)) and all(map(_is_text, value.values()))
    return type(value) is str


def _refused(error: ValidationError, key: str, reference: str | None) -> ConfigValueError:
    first = error.errors(include_url=False, include_input=False)[0]
    own: Any = first.get("ctx", {})
    return ConfigValueError(
        first["type"].replace("_", "-"),
        field=render_path((key, *first["loc"][1:])),
        reference=own.get("reference") or reference,
    )
