"""Reads the rows of the public CEL conformance suite: values, declared types, environments."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from policy.cel import Duration as CelDuration
from policy.cel import Environment, Limits, Message, Timestamp, TypeValue, Uint, Variable
from policy.cel.arithmetic import as_int, as_uint
from policy.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    INT,
    NULL,
    STRING,
    UINT,
    CelType,
    ListType,
    MapType,
)
from policy.cel.values import CelMap
from policy.phase import Phase

CORPORA = Path(
    os.environ.get("PENSTOCK_CORPORA", Path(__file__).parents[2].parent / "shared" / "corpora")
)
ROWS_FILE = CORPORA / "cel" / "all.json"

Row = dict[str, Any]


def load_rows() -> list[Row]:
    """Return all rows, or skip the module loudly where the corpora are not at hand."""
    if not ROWS_FILE.exists():
        pytest.skip(
            f"no CEL conformance suite at {ROWS_FILE}: set PENSTOCK_CORPORA to run it",
            allow_module_level=True,
        )
    rows: list[Row] = json.loads(ROWS_FILE.read_text(encoding="utf-8"))
    return rows


def decode_value(tagged: Mapping[str, Any]) -> Any:
    """Turn a tagged value of the suite into a run-time value."""
    kind, value = tagged["t"], tagged["v"]
    match kind:
        case "int":
            return int(value)
        case "uint":
            return Uint(value)
        case "double":
            return float(value)
        case "bytes":
            return bytes.fromhex(value)
        case "list":
            return [decode_value(item) for item in value]
        case "map":
            return CelMap([(decode_value(k), decode_value(v)) for k, v in value])
        case "type":
            return TypeValue(value)
        case "timestamp":
            return Timestamp(_nanoseconds(value))
        case "duration":
            return CelDuration(_nanoseconds(value))
        case "string" | "bool" | "null":
            return value
        case _:
            raise AssertionError(kind)


def _nanoseconds(value: Any) -> int:
    return int(value["seconds"]) * 1_000_000_000 + int(value["nanos"])


_PRIMITIVES: dict[str, CelType] = {
    "BOOL": BOOL,
    "BYTES": BYTES,
    "DOUBLE": DOUBLE,
    "INT64": INT,
    "STRING": STRING,
    "UINT64": UINT,
}


@dataclass
class _Text:
    """A cursor over the tokens of a declaration in protobuf's text format."""

    tokens: Iterator[str]

    def next(self) -> str:
        return next(self.tokens)


def decode_declaration(text: str) -> tuple[str, CelType]:
    """Read `name: "x" ident { type { ... } }`."""
    name = re.search(r'name:\s*"([^"]+)"', text)
    kind = re.search(r"type\s*\{(.*)\}\s*\}", text, re.DOTALL)
    assert name is not None
    assert kind is not None, text
    cursor = _Text(iter(re.findall(r"[{}]|[A-Za-z0-9_]+", kind[1])))
    return name[1], _decode_type(cursor)


def _decode_type(cursor: _Text) -> CelType:
    match cursor.next():
        case "primitive":
            return _PRIMITIVES[cursor.next()]
        case "null":
            cursor.next()
            return NULL
        case "list_type":
            cursor.next()  # {
            cursor.next()  # elem_type
            cursor.next()  # {
            element = _decode_type(cursor)
            cursor.next()
            cursor.next()
            return ListType(element)
        case "map_type":
            cursor.next()  # {
            parts: list[CelType] = []
            for _ in range(2):
                cursor.next()  # key_type, value_type
                cursor.next()  # {
                parts.append(_decode_type(cursor))
                cursor.next()
            cursor.next()
            return MapType(parts[0], parts[1])
        case _:
            return DYN


def _only_value(fields: Mapping[str, Any]) -> Any:
    return next(iter(fields.values()))


def _wrapper(name: str, kind: CelType, convert: Callable[[Any], Any]) -> Message:
    return Message(
        name=f"google.protobuf.{name}",
        fields={"value": kind},
        result=kind,
        build=lambda fields: convert(_only_value(fields)),
    )


WRAPPERS = (
    _wrapper("Int32Value", INT, as_int),
    _wrapper("Int64Value", INT, as_int),
    _wrapper("UInt32Value", UINT, as_uint),
    _wrapper("UInt64Value", UINT, as_uint),
    _wrapper("FloatValue", DOUBLE, float),
    _wrapper("DoubleValue", DOUBLE, float),
    Message(
        name="google.protobuf.Value",
        fields={"null_value": NULL},
        result=NULL,
        build=_only_value,
    ),
)
NULL_VALUE = "google.protobuf.NullValue.NULL_VALUE"


class Values:
    """An activation over the bindings of one row; attributes are the declared names."""

    def __init__(self, bindings: Mapping[str, Any]) -> None:
        self.__dict__.update(bindings)


def attribute_of(name: str) -> str:
    """Return the attribute that holds a variable of the suite."""
    return f"v_{name.replace('.', '_dot_')}"


def environment_of(row: Row) -> Environment:
    """Return the environment that a row asks for."""
    declared = dict(decode_declaration(text) for text in row.get("type_env", ()))
    if row.get("disable_check"):
        declared = dict.fromkeys(declared, DYN)
    for name in row["bindings"]:
        declared.setdefault(name, DYN)
    declared[NULL_VALUE] = NULL
    return Environment(
        phase=Phase.ON_HTTP_REQUEST,
        variables=[
            Variable(name=name, type=kind, attribute=attribute_of(name))
            for name, kind in declared.items()
        ],
        messages=WRAPPERS,
        container=row.get("container", ""),
        checked=not row.get("disable_check", False),
        limits=Limits(),
    )


def activation_of(row: Row) -> Values:
    """Return the values that a row binds."""
    bound = {attribute_of(name): decode_value(value) for name, value in row["bindings"].items()}
    return Values({attribute_of(NULL_VALUE): None, **bound})
