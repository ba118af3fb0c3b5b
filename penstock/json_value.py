"""Values of expressions and results of actions as JSON, and as a person would write them."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

from policy.cel.values import Duration, Timestamp, TypeValue
from policy.variables.wall_clock import rfc3339

NS_PER_S = 1_000_000_000


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
            return value if math.isfinite(value) else str(value)
        case str():
            return json_text(value)
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case Timestamp(ns=ns):
            return timestamp_text(ns)
        case Duration(ns=ns):
            return duration_text(ns)
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
        case Timestamp(ns=ns):
            return f'timestamp("{timestamp_text(ns)}")'
        case Duration(ns=ns):
            return f'duration("{duration_text(ns)}")'
        case TypeValue(name=name):
            return name
        case bytes():
            return f"b{json.dumps(value.decode('latin-1'))}"
    return json.dumps(json_value(value), ensure_ascii=False)


def timestamp_text(ns: int) -> str:
    """Return RFC 3339 in UTC, with as many fractional digits as it takes."""
    fraction = f".{ns % NS_PER_S:09d}".rstrip("0").rstrip(".")
    return rfc3339(ns).removesuffix("Z") + fraction + "Z"


def duration_text(ns: int) -> str:
    """Return seconds with `s`, with as many fractional digits as it takes."""
    sign = "-" if ns < 0 else ""
    whole, rest = divmod(abs(ns), NS_PER_S)
    fraction = f".{rest:09d}".rstrip("0").rstrip(".")
    return f"{sign}{whole}{fraction}s"
