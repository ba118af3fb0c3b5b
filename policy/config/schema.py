"""A configuration class as JSON Schema (draft 2020-12), for editors.

It describes what a document may say, so that a field which is interpolated takes text as well.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, Literal, TypeAlias, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

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
from policy.config_types import AbsoluteUrl, AtMost, Parsed, StatusRange, Unique
from policy.net import NetworkSet

Schema: TypeAlias = dict[str, Any]

_PLAIN: Final[dict[Any, Schema]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    NetworkSet: {"type": "array", "items": {"type": "string"}},
}
_TEXT: Final[Schema] = {"type": "string"}
_SCALAR: Final[Schema] = {"type": ["string", "number", "boolean"]}


def config_schema(config_type: type[BaseModel]) -> Schema:
    """Return the schema of a configuration class."""
    return _model(model_shape(config_type))


def _model(shape: ModelShape) -> Schema:
    properties = {field.key: _field(field) for field in shape.fields}
    for field in shape.fields:
        for name in field.former_names:
            properties[name] = {**properties[field.key], "deprecated": True}
    schema: Schema = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    required = [field.key for field in shape.fields if field.info.is_required()]
    return schema | ({"required": required} if required else {})


def _field(field: FieldShape) -> Schema:
    schema = _shape(field.shape)
    if field.interpolated is not None:
        schema = _or_text(schema, field.shape)
    if field.doc:
        schema = {**schema, "description": field.doc}
    default = field.info.default
    if default is not PydanticUndefined and isinstance(default, str | int | float):
        written = not _is_parsed(field.shape)
        schema = {**schema, "default": default} if written else schema
    return schema


def _is_parsed(shape: Shape) -> bool:
    return any(isinstance(mark, Parsed) for mark in shape.metadata)


def _or_text(schema: Schema, shape: Shape) -> Schema:
    """Let a scalar that is not text be one `${...}` as well."""
    kinds = {"integer", "number", "boolean"}
    is_choice = "enum" in schema or str(schema.get("type")) in kinds
    if not isinstance(shape, LeafShape) or not is_choice:
        return schema
    return {"anyOf": [schema, _TEXT]}


def _shape(shape: Shape) -> Schema:
    match shape:
        case ModelShape():
            schema = _model(shape)
        case ListShape():
            schema = {"type": "array", "items": _shape(shape.item)}
        case MapShape():
            schema = {"type": "object", "additionalProperties": _shape(shape.value)}
        case UnionShape():
            schema = {"anyOf": [_shape(option) for option in shape.options]}
        case LeafShape():
            schema = _leaf(shape)
    return schema | _limits(shape)


def _leaf(shape: LeafShape) -> Schema:
    if shape.is_from_scalar:
        return dict(_SCALAR)
    for mark in shape.metadata:
        if isinstance(mark, Parsed):
            return {**_TEXT, "title": mark.text}
        if isinstance(mark, AbsoluteUrl):
            return {**_TEXT, "format": "uri"}
    annotation = shape.annotation
    if get_origin(annotation) is Literal:
        return {"enum": list(get_args(annotation))}
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return {"enum": [member.value for member in annotation]}
    return dict(_PLAIN.get(annotation, {}))


def _limits(shape: Shape) -> Schema:
    limits: Schema = {}
    is_map, is_list = isinstance(shape, MapShape), isinstance(shape, ListShape)
    size = "Properties" if is_map else "Items" if is_list else "Length"
    for mark in shape.metadata:
        match mark:
            case Ge(ge=bound):
                limits["minimum"] = bound
            case Gt(gt=bound):
                limits["exclusiveMinimum"] = bound
            case Le(le=bound):
                limits["maximum"] = bound
            case Lt(lt=bound):
                limits["exclusiveMaximum"] = bound
            case StatusRange(minimum=low, maximum=high):
                limits |= {"minimum": low, "maximum": high}
            case MinLen(min_length=count):
                limits[f"min{size}"] = count
            case MaxLen(max_length=count) | AtMost(count=count):
                limits[f"max{size}"] = count
            case Unique():
                limits["uniqueItems"] = True
    return limits
