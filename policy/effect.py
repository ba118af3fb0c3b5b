"""What an action may ask of the outside world.

An action does no IO: it yields an effect and is handed the answer, by the proxy, by the
evaluator or by a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBody:
    """Buffer the whole request body; answered with its bytes, or None when over the limit."""

    limit_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """Ask for the time; answered with nanoseconds since the epoch."""


Effect: TypeAlias = ReadBody | Now
