"""The text of a value inside a string, as interpolation writes it (language spec, section 2.4)."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from policy.cel import CelError, Duration, Timestamp, TypeValue

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NS: Final = 1_000_000_000
_LARGEST_PLAIN_DOUBLE: Final = 1e21


def text_of(value: Any) -> str:
    """Write a value: null is empty, a list joins its items, maps and nested lists are JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        if any(_is_nested(item) for item in value):
            return _json(value)
        return ", ".join(map(_scalar_text, value))
    return _json(value) if _is_nested(value) else _scalar_text(value)


def _scalar_text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case float():
            return _double_text(value)
        case bytes():
            return _utf8(value)
        case Timestamp():
            return _timestamp_text(value.ns)
        case Duration():
            return _seconds_text(value.ns) + "s"
        case TypeValue():
            return value.name
    raise CelError("no-text", f"a {type(value).__name__} has no text")


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple) or _is_object(value)


def _is_object(value: Any) -> bool:
    scalars = Timestamp | Duration | TypeValue
    return dataclasses.is_dataclass(value) and not isinstance(value, scalars)


def _utf8(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise CelError("invalid-utf-8", "bytes that are not UTF-8 have no text") from None


def _double_text(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if math.isnan(value):
        return "NaN"
    if value.is_integer() and abs(value) < _LARGEST_PLAIN_DOUBLE:
        return f"{value:.0f}"
    return repr(value)


def _timestamp_text(ns: int) -> str:
    seconds, fraction = divmod(ns, _NS)
    whole = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    return f"{whole}{_fraction_text(fraction)}Z"


def _seconds_text(ns: int) -> str:
    seconds, fraction = divmod(abs(ns), _NS)
    return f"{'-' if ns < 0 else ''}{seconds}{_fraction_text(fraction)}"


def _fraction_text(ns: int) -> str:
    return f".{ns:09}".rstrip("0") if ns else ""


def _json(value: Any) -> str:
    try:
        plain = _jsonable(value)
    except RecursionError:
        raise CelError("nested-too-deep", "the value is nested too deep for JSON") from None
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False)


def _jsonable(value: Any) -> Any:
    """Turn a value into what JSON knows (the proto3 mapping for what JSON lacks)."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return int(value)
        case float():
            return value if math.isfinite(value) else _double_text(value)
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case list() | tuple():
            return [_jsonable(item) for item in value]
        case Mapping():
            return {_scalar_text(key): _jsonable(item) for key, item in value.items()}
    if _is_object(value):
        fields = dataclasses.fields(value)
        return {field.name: _jsonable(getattr(value, field.name)) for field in fields}
    return _scalar_text(value)
