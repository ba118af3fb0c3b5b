"""Stretches of rules whose conditions are asked by one function.

A stretch may be entered at its first rule, and behind each rule that may let the phase go on:
what the actions of such a rule change is read anew by those after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from policy.cel import Part, RuleParts, compile_first_match

# A longer function would gain little, and its parts are kept until it is compiled.
MAX_RULES = 64
EXCHANGE = frozenset({"exchange"})


class Stretch:
    """The conditions of some rules; `end` is the position behind the last of them.

    `first_match(activation, start)` gives the position of the first that matches from an entry
    on, `end` if none does. It raises RuleError. What `reads_exchange_only` takes the exchange
    itself for an activation, which need not be made then.
    """

    __slots__ = ("end", "first_match", "reads_exchange_only")

    def __init__(
        self, *, end: int, first_match: Callable[[Any, int], int], reads_exchange_only: bool
    ) -> None:
        self.end: Final = end
        self.first_match: Final = first_match
        self.reads_exchange_only: Final = reads_exchange_only


class StretchWriter:
    """Takes the rules of one phase in their order; `stretches` are by where one may enter them."""

    def __init__(self) -> None:
        self.stretches: dict[int, Stretch] = {}
        self._position = 0
        self._goes_on = False
        self._waiting: list[RuleParts] = []

    def add(self, conditions: Sequence[Part], *, ends_phase: bool) -> None:
        """Take the next rule; `ends_phase` says that it does so whenever it matches."""
        if len(self._waiting) == MAX_RULES or not conditions:
            self.finish()
        if conditions:
            is_entry = self._goes_on or not self._waiting
            self._waiting.append(RuleParts(conditions, is_entry))
        self._goes_on = not ends_phase
        self._position += 1

    def finish(self) -> None:
        """Make a stretch of the rules that wait for it."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            start = self._position - len(waiting)
            parts = [part for rule in waiting for part in rule.conditions]
            stretch = Stretch(
                end=self._position,
                first_match=compile_first_match(waiting, start),
                reads_exchange_only=all(part.reads <= EXCHANGE for part in parts),
            )
            self.stretches |= {
                at: stretch for at, rule in enumerate(waiting, start) if rule.is_entry
            }
