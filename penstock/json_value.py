"""Values of expressions and results of actions as JSON, and as a person would write them."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

from policy.cel.text import double_text, duration_text, timestamp_text
from policy.cel.values import Duration, Timestamp, TypeValue


def json_value(value: object) -> object:
    """Return a value as JSON can hold it.

    Timestamps are RFC 3339 text, durations seconds with `s`, bytes base64, types their names, and
    doubles that are no numbers text.
    """
    match value:
        case None | bool():
            return value
        case int():
            return int(value)
        case float():
            return value if math.isfinite(value) else double_text(value)
        case str():
            return json_text(value)
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case Timestamp():
            return timestamp_text(value)
        case Duration():
            return duration_text(value)
        case TypeValue(name=name):
            return name
        case Mapping():
            return {key_text(key): json_value(each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [json_value(each) for each in value]
    if is_dataclass(value):
        return {each.name: json_value(getattr(value, each.name)) for each in fields(value)}
    return str(value)


def json_text(text: str | bytes) -> str:
    """Return text that any JSON reader takes: bytes that are not UTF-8 become U+FFFD."""
    if isinstance(text, str):
        if text.isascii():
            return text
        text = text.encode("utf-8", "surrogateescape")
    return text.decode("utf-8", "replace")


def key_text(key: object) -> str:
    """Return a map's key as JSON wants it."""
    return json_text(key) if isinstance(key, str) else json.dumps(json_value(key))


def literal(value: object) -> str:
    """Return a value as an expression would write it, in one line."""
    match value:
        case Timestamp():
            return f'timestamp("{timestamp_text(value)}")'
        case Duration():
            return f'duration("{duration_text(value)}")'
        case TypeValue(name=name):
            return name
        case bytes():
            return f"b{json.dumps(value.decode('latin-1'))}"
    return json.dumps(json_value(value), ensure_ascii=False)
