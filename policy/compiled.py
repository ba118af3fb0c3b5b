"""A policy document after loading: checked, compiled, immutable, ready to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policy.action import Action, Outcome, Site, Steps
from policy.cel import CelError, Expression, RuleError
from policy.config import DecodedConfig
from policy.effect import GetDocument
from policy.exchange import Exchange
from policy.phase import Phase
from policy.problem import Place, Problem
from policy.stretch import Stretch
from policy.variables import activation


class CompiledAction:
    """One action of a rule, its configuration checked.

    `static` is what it runs with where no part of its configuration waits for a request; None
    else. `run` and `namespace` are the action's own.
    """

    __slots__ = ("action", "config", "namespace", "run", "static")

    def __init__(self, *, action: Action[Any], config: DecodedConfig[Any]) -> None:
        self.action: Final = action
        self.config: Final = config
        self.run: Final[Callable[[Any, Exchange], Outcome[Any] | Steps[Any]]] = action.run
        self.static: Final[Any] = None if config.static is None else action.prepare(config.static)
        self.namespace: Final = action.result_namespace


class CompiledRule:
    """One rule of one phase. `index` counts from 0 in its phase, as in the document."""

    __slots__ = ("actions", "conditions", "index", "name")

    def __init__(
        self,
        *,
        index: int,
        name: str | None,
        conditions: tuple[Expression, ...],
        actions: tuple[CompiledAction, ...],
    ) -> None:
        self.index: Final = index
        self.name: Final = name
        self.conditions: Final = conditions
        self.actions: Final = actions

    def matches(self, values: Any) -> bool:
        """Tell whether all conditions hold; a false one guards those after it. Raises CelError.

        Rules that are asked with others have a function in common instead: see `policy.stretch`.
        """
        for condition in self.conditions:  # noqa: SIM110 - a generator may be run to its end
            if not condition.evaluate(values):
                return False
        return True


class RuleSequence:
    """The rules of one phase, or some of them, and how their conditions are asked together.

    `stretches` are by the positions where one may enter them.
    """

    __slots__ = ("rules", "stretches")

    def __init__(
        self, rules: tuple[CompiledRule, ...], stretches: Mapping[int, Stretch] | None = None
    ) -> None:
        self.rules: Final = rules
        self.stretches: Final = dict(stretches or {})

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


class Policy:
    """A whole document, checked and compiled. Shared by all requests, and never changed.

    `owned_headers` are the lower-case request field names that only the policy may set;
    `documents` are what it will ask for by fixed URLs, such as key sets. `own_paths` are those
    that some of its actions answer by themselves, `own_cookies` the names of their cookies.
    `sequences` are the rules as they run, each phase with its `stretches`. `holds_secrets` tells
    that the document has some in clear text. `variables` are the names of those that its
    expressions read.
    """

    __slots__ = (
        "documents", "holds_secrets", "name", "own_cookies", "own_paths", "owned_headers",
        "rules", "sequences", "stretches", "variables", "warnings",
    )  # fmt: skip

    def __init__(
        self,
        *,
        name: str,
        rules: Mapping[Phase, tuple[CompiledRule, ...]] | None = None,
        stretches: Mapping[Phase, Mapping[int, Stretch]] | None = None,
        owned_headers: frozenset[str] = frozenset(),
        documents: tuple[NamedDocument, ...] = (),
        own_paths: Mapping[str, tuple[OwnPath, ...]] | None = None,
        own_cookies: frozenset[str] = frozenset(),
        warnings: tuple[Problem, ...] = (),
        holds_secrets: bool = False,
        variables: frozenset[str] = frozenset(),
    ) -> None:
        self.name: Final = name
        self.rules: Final = dict(rules or {})
        self.stretches: Final = dict(stretches or {})
        self.owned_headers: Final = owned_headers
        self.documents: Final = documents
        self.own_paths: Final = dict(own_paths or {})
        self.own_cookies: Final = own_cookies
        self.warnings: Final = warnings
        self.holds_secrets: Final = holds_secrets
        self.variables: Final = variables
        self.sequences: Final = {
            phase: RuleSequence(each, self.stretches.get(phase))
            for phase, each in self.rules.items()
        }

    def with_other(
        self,
        *,
        rules: Mapping[Phase, tuple[CompiledRule, ...]] | None = None,
        own_cookies: frozenset[str] | None = None,
    ) -> Policy:
        """Return the same policy with other rules, under the same conditions, or other cookies."""
        return Policy(
            name=self.name,
            rules=self.rules if rules is None else rules,
            stretches=self.stretches,
            owned_headers=self.owned_headers,
            documents=self.documents,
            own_paths=self.own_paths,
            own_cookies=self.own_cookies if own_cookies is None else own_cookies,
            warnings=self.warnings,
            holds_secrets=self.holds_secrets,
            variables=self.variables,
        )

    def sites(self) -> tuple[OwnPath, ...]:
        """Return each action that has paths of its own, once."""
        found = {id(own): own for each in self.own_paths.values() for own in each}
        return tuple(found.values())

    def has(self, phase: Phase) -> bool:
        """Tell whether a phase has any rule, so that callers can skip it."""
        return phase in self.rules
