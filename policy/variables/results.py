"""`actions.ngrok.*`: what actions left behind (language spec, section 3.12)."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from policy.cel.types import (
    BOOL,
    DOUBLE,
    DYN,
    INT,
    STRING,
    CelType,
    ListType,
    MapType,
    NullableType,
    ObjectType,
)

# Data whose shape only run time knows, such as a token's claims: what it lacks is null.
ANYTHING: CelType = NullableType(DYN)
SCALARS: dict[type, CelType] = {bool: BOOL, int: INT, float: DOUBLE, str: STRING}


def result_type(result: type[Any], name: str) -> ObjectType:
    """Return the type of an action's result. Nullable: the action may not have run yet."""
    hints = get_type_hints(result)
    return ObjectType(
        name,
        {f.name: field_type(hints[f.name], f"{name}.{f.name}") for f in fields(result)},
        nullable=True,
    )


def field_type(hint: Any, name: str) -> CelType:
    """Translate a Python annotation into a type of the language."""
    if hint in SCALARS:
        return SCALARS[hint]
    if is_dataclass(hint) and isinstance(hint, type):
        return result_type(hint, name)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return SCALARS[type(arguments[0])]
    if origin in (list, tuple):
        # A result list read out of range is null, like every unset part of a result.
        return ListType(field_type(arguments[0], name), missing=None)
    if origin in (dict, Mapping):
        return MapType(STRING, field_type(arguments[1], name), missing=None)
    if origin in (Union, types.UnionType):
        known = [argument for argument in arguments if argument is not types.NoneType]
        return field_type(known[0], name) if len(known) == 1 else ANYTHING
    return ANYTHING
