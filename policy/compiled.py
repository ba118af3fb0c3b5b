"""A policy document after loading: checked, compiled, immutable, ready to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policy.action import Action, Outcome, Site, Steps
from policy.cel import CelError, Expression, RuleError
from policy.config import DecodedConfig
from policy.effect import GetDocument
from policy.exchange import Exchange
from policy.phase import Phase
from policy.problem import Place, Problem
from policy.stretch import Stretch
from policy.variables import activation


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledAction:
    """One action of a rule, its configuration checked.

    `static` is what it runs with where no part of its configuration waits for a request.
    """

    action: Action[Any]
    config: DecodedConfig[Any]
    run: Callable[[Any, Exchange], Outcome[Any] | Steps[Any]] = field(init=False)
    static: Any = field(init=False)
    namespace: str = field(init=False)

    def __post_init__(self) -> None:
        # What every request would look up again.
        object.__setattr__(self, "run", self.action.run)
        config = self.config.static
        object.__setattr__(self, "static", None if config is None else self.action.prepare(config))
        object.__setattr__(self, "namespace", self.action.result_namespace)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRule:
    """One rule of one phase. `index` counts from 0 in its phase, as in the document."""

    index: int
    name: str | None
    conditions: tuple[Expression, ...]
    actions: tuple[CompiledAction, ...]

    def matches(self, values: Any) -> bool:
        """Tell whether all conditions hold; a false one guards those after it. Raises CelError.

        Rules that are asked with others have a function in common instead: see `policy.stretch`.
        """
        for condition in self.conditions:  # noqa: SIM110 - a generator may be run to its end
            if not condition.evaluate(values):
                return False
        return True


@dataclass(frozen=True, slots=True)
class RuleSequence:
    """The rules of one phase, or some of them, and how their conditions are asked together.

    `stretches` are by the positions where one may enter them.
    """

    rules: Sequence[CompiledRule]
    stretches: Mapping[int, Stretch] = field(default_factory=dict)

    def next_match(self, position: int, exchange: Exchange) -> int:
        """Return where the first rule from a position on stands that matches, else their number.

        Raises RuleError for a condition that fails.
        """
        rules = self.rules
        count = len(rules)
        while position < count:
            rule = rules[position]
            if not rule.conditions:
                return position
            stretch = self.stretches.get(position)
            if stretch is not None:
                plain = stretch.reads_exchange_only
                values = exchange if plain else exchange.computed or activation(exchange)
                position = stretch.first_match(values, position)
                if position < stretch.end:
                    return position
                continue
            try:
                if rule.matches(exchange.computed or activation(exchange)):
                    return position
            except CelError as error:
                raise RuleError(position, error) from error
            position += 1
        return count


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedDocument:
    """A document that a policy asks for by a fixed URL, and the action that does."""

    request: GetDocument
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPath:
    """An action that answers on a path by itself, and what it is told apart from others by."""

    step: CompiledAction
    site: Site[Any]
    auth_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A whole document, checked and compiled. Immutable and shared by all requests.

    `owned_headers` are the lower-case request field names that only the policy may set;
    `documents` are what it will ask for by fixed URLs, such as key sets. `own_paths` are those
    that some of its actions answer by themselves, `own_cookies` the names of their cookies.
    `sequences` are the rules as they run, each phase with its `stretches`. `holds_secrets` tells
    that the document has some in clear text. `variables` are the names of those that its
    expressions read.
    """

    name: str
    rules: Mapping[Phase, tuple[CompiledRule, ...]] = field(default_factory=dict)
    stretches: Mapping[Phase, Mapping[int, Stretch]] = field(default_factory=dict)
    owned_headers: frozenset[str] = frozenset()
    documents: tuple[NamedDocument, ...] = ()
    own_paths: Mapping[str, tuple[OwnPath, ...]] = field(default_factory=dict)
    own_cookies: frozenset[str] = frozenset()
    warnings: tuple[Problem, ...] = ()
    holds_secrets: bool = False
    variables: frozenset[str] = frozenset()
    sequences: Mapping[Phase, RuleSequence] = field(init=False)

    def __post_init__(self) -> None:
        sequences = {
            phase: RuleSequence(rules, self.stretches.get(phase, {}))
            for phase, rules in self.rules.items()
        }
        object.__setattr__(self, "sequences", sequences)

    def sites(self) -> tuple[OwnPath, ...]:
        """Return each action that has paths of its own, once."""
        found = {id(own): own for each in self.own_paths.values() for own in each}
        return tuple(found.values())

    def has(self, phase: Phase) -> bool:
        """Tell whether a phase has any rule, so that callers can skip it."""
        return phase in self.rules
