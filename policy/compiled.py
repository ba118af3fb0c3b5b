"""A policy document after loading: checked, compiled, immutable, ready to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from policy.action import Action
from policy.cel import Expression
from policy.config import DecodedConfig
from policy.phase import Phase
from policy.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledAction:
    """One action of a rule, its configuration checked."""

    action: Action[Any]
    config: DecodedConfig[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRule:
    """One rule of one phase. `index` counts from 0 in its phase, as in the document."""

    index: int
    name: str | None
    conditions: tuple[Expression, ...]
    actions: tuple[CompiledAction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A whole document, checked and compiled. Immutable and shared by all requests.

    `owned_headers` are the lower-case request field names that only the policy may set.
    """

    name: str
    rules: Mapping[Phase, tuple[CompiledRule, ...]] = field(default_factory=dict)
    owned_headers: frozenset[str] = frozenset()
    warnings: tuple[Problem, ...] = ()

    def has(self, phase: Phase) -> bool:
        """Tell whether a phase has any rule, so that callers can skip it."""
        return phase in self.rules
