"""How the whole proxy is, all its processes together: what the admin listener shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from proxy.metrics import Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """`last_reload` is JSON already."""

    ready: bool
    last_reload: dict[str, Any]
    metrics: tuple[Metric, ...]


AskStatus: TypeAlias = Callable[[], Awaitable[Status]]
