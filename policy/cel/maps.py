"""Making maps from literals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy.cel.values import CelError, CelMap, Uint, no_overload

_KEY_TYPES = (str, int, Uint, bool)


def make_map(*pairs: tuple[Any, Any]) -> Mapping[Any, Any]:
    """Make a map of keys whose types are known at run time only. A key twice is an error."""
    for key, _ in pairs:
        if type(key) not in _KEY_TYPES:
            raise no_overload("a map key")
    made: Mapping[Any, Any]
    made = CelMap(pairs) if any(type(key) is bool for key, _ in pairs) else dict(pairs)
    if len(made) != len(pairs):
        raise CelError("repeated-key", "a map has the same key twice")
    return made
