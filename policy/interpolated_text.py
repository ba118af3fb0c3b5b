"""The text of a value inside a string, as interpolation writes it (language spec, section 2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

from policy.cel import Duration, Limits, Timestamp, TypeValue
from policy.cel.functions.json_values import encode
from policy.cel.text import scalar_text
from policy.cel.work import Work

_LIMITS = Limits()


def text_of(value: Any) -> str:
    """Write a value: null is empty, a list joins its items, maps and nested lists are JSON.

    Raises CelError for bytes that are no UTF-8 and for values that are too big or too deep.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and not any(map(_has_parts, value)):
        return ", ".join(map(_scalar, value))
    if _has_parts(value):
        return encode(Work(_LIMITS), value)
    return _scalar(value)


def _scalar(value: Any) -> str:
    return "" if value is None else scalar_text(value)


def _has_parts(value: Any) -> bool:
    if isinstance(value, Mapping | list | tuple):
        return True
    return is_dataclass(value) and not isinstance(value, Timestamp | Duration | TypeValue)
