"""Tables of configuration fields, read off the classes that check them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from annotated_types import MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from penstock.reference_language import code, table
from policy.action import Doc
from policy.config.shape import (
    FieldShape,
    LeafShape,
    ListShape,
    MapShape,
    ModelShape,
    Shape,
    UnionShape,
    model_shape,
)
from policy.config_types import AtMost, DurationRange, StatusRange

PLAIN = {str: "text", int: "int", float: "number", bool: "bool", Any: "any value"}


class UndocumentedField(Exception):  # noqa: N818 - it is a finding about the code, not a failure
    """A field without a sentence of documentation."""


def fields_table(model: type[BaseModel]) -> str:
    """Return the table of a class's fields, those of nested classes below their own."""
    shape = model_shape(model)
    interpolated = any(field.interpolated for _, field in all_fields(shape))
    header = ("Field", "Type", "Default", *(("`${}`",) if interpolated else ()), "Meaning")
    rows = [field_row(path, field, interpolated=interpolated) for path, field in all_fields(shape)]
    return table(header, rows)


def all_fields(shape: ModelShape, prefix: str = "") -> Iterator[tuple[str, FieldShape]]:
    """Return every field with its path, depth first in the order of the code."""
    for field in shape.fields:
        path = f"{prefix}{field.key}"
        yield path, field
        for suffix, nested in nested_models(field.shape):
            yield from all_fields(nested, f"{path}{suffix}.")


def nested_models(shape: Shape) -> Iterator[tuple[str, ModelShape]]:
    """Return the classes inside a shape, each with the way to it."""
    match shape:
        case ModelShape():
            yield "", shape
        case ListShape(item=item):
            yield from ((f"[]{suffix}", model) for suffix, model in nested_models(item))
        case MapShape(value=value):
            yield from ((f".NAME{suffix}", model) for suffix, model in nested_models(value))
        case UnionShape(options=options):
            for option in options:
                yield from nested_models(option)


def field_row(path: str, field: FieldShape, *, interpolated: bool) -> tuple[str, ...]:
    """Lay out one field; raises UndocumentedField."""
    if not field.doc:
        raise UndocumentedField(path)
    marked = (("yes" if field.interpolated else "",)) if interpolated else ()
    return (code(path), shape_text(field.shape), default_text(field.info), *marked, field.doc)


def shape_text(shape: Shape) -> str:
    """Return a type in words, with its limits."""
    text = kind_text(shape)
    limits = ", ".join(limit_texts(shape.metadata))
    return f"{text}, {limits}" if limits else text


def kind_text(shape: Shape) -> str:
    """Return a type in words, without its limits."""
    match shape:
        case ModelShape():
            return "map"
        case ListShape(item=ModelShape()):
            return "list of maps"
        case ListShape(item=item):
            return f"list of {shape_text(item)}"
        case MapShape(key=key, value=value):
            return f"map of {shape_text(key)} to {shape_text(value)}"
        case UnionShape(options=options):
            return " or ".join(dict.fromkeys(shape_text(option) for option in options))
        case LeafShape(annotation=annotation, metadata=marks):
            return named_type(marks) or annotation_text(annotation)


def named_type(marks: Iterable[object]) -> str:
    """Return the name that a type gives itself in its `text`; "" when no mark has one."""
    texts = (getattr(mark, "text", "") for mark in marks if not isinstance(mark, Doc))
    return next((text for text in texts if text), "")


def annotation_text(annotation: Any) -> str:
    """Return a plain Python type in words."""
    if get_origin(annotation) is Literal:
        return " or ".join(code(literal_text(value)) for value in get_args(annotation))
    if annotation in PLAIN:
        return PLAIN[annotation]
    name: str = getattr(annotation, "__name__", str(annotation))
    return "nothing" if annotation is NoneType else name


def literal_text(value: object) -> str:
    """Return a literal as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def limit_texts(marks: Iterable[object]) -> Iterator[str]:
    """Say in words what the marks on a field limit."""
    for mark in marks:
        match mark:
            case MinLen(min_length=minimum):
                yield f"at least {minimum}"
            case MaxLen(max_length=maximum):
                yield f"at most {maximum}"
            case AtMost(count=count):
                yield f"at most {count}"
            case DurationRange(minimum=minimum, maximum=maximum):
                yield f"{minimum} to {maximum}"
            case StatusRange(minimum=low, maximum=high, excluded=excluded):
                without = f" except {', '.join(map(str, excluded))}" if excluded else ""
                yield f"{low} to {high}{without}"


def default_text(info: FieldInfo) -> str:
    """Return a field's default as YAML writes it."""
    if info.is_required():
        return "required"
    default = info.get_default(call_default_factory=True, validated_data={})
    if default is PydanticUndefined or default in (None, "", (), [], {}):
        return ""
    if isinstance(default, bool):
        return code("true" if default else "false")
    if isinstance(default, int | float | str):
        return code(str(default))
    return ""
