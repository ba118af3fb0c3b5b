"""The text of values: what `string()` and `%s` show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from policy.cel.values import (
    NS_PER_SECOND,
    CelError,
    Duration,
    Timestamp,
    TypeValue,
    Uint,
    no_overload,
)
from policy.cel.work import Work

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def double_text(value: float) -> str:
    """Write a double in the shortest form that reads back as the same number."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    text = repr(value)
    return text.removesuffix(".0")


def timestamp_text(value: Timestamp) -> str:
    """Write a timestamp as RFC 3339 in UTC, with as many digits of the second as it needs."""
    seconds, ns = divmod(value.ns, NS_PER_SECOND)
    moment = EPOCH + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + f"{_fraction(ns)}Z"


def duration_text(value: Duration) -> str:
    """Write a duration in seconds: `5400s`, `-1.5s`."""
    seconds, ns = divmod(abs(value.ns), NS_PER_SECOND)
    return f"{'-' if value.ns < 0 else ''}{seconds}{_fraction(ns)}s"


def _fraction(ns: int) -> str:
    return f".{ns:09d}".rstrip("0") if ns else ""


def bytes_text(value: bytes) -> str:
    """Read UTF-8. Raises CelError for bytes that are none."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise CelError("invalid-utf8", "bytes are not UTF-8") from None


def scalar_text(value: Any) -> str:
    """Write any value but a list or map. Raises CelError for those and for invalid UTF-8."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int or kind is Uint:
        return str(int(value))
    if kind is float:
        return double_text(value)
    if value is None:
        return "null"
    match value:
        case bytes():
            return bytes_text(value)
        case Timestamp():
            return timestamp_text(value)
        case Duration():
            return duration_text(value)
        case TypeValue():
            return value.name
        case _:
            raise no_overload("string()")


def value_text(work: Work, value: Any) -> str:
    """Write any value; lists in square brackets, maps in braces with their keys sorted."""
    if isinstance(value, list | tuple):
        work.spend(2 + 14 * len(value))
        text = f"[{', '.join(value_text(work, item) for item in value)}]"
    elif isinstance(value, Mapping):
        work.spend(2 + 40 * len(value))
        entries = sorted(
            (scalar_text(key), value_text(work, entry)) for key, entry in value.items()
        )
        text = f"{{{', '.join(f'{key}: {entry}' for key, entry in entries)}}}"
    else:
        text = scalar_text(value)
    work.grow(len(text))
    return text
