"""One function for the conditions of several rules that follow one another.

Most rules miss on most requests, and then to call their conditions one by one takes longer than
they do themselves. Here all of them stand in one function, in their order, and a variable that is
certain to have been read is read once:

    def first_match(activation, start):
        try:
            if start <= 4:
                rule = 4
                if '/.git' <= (kept_0 := activation.request.url.path) < '/.giu':
                    return 4
                rule = 5
                if kept_0 == '/old' and activation.connection.client_ip != '10.0.0.1':
                    return 5
            if start <= 6:
                rule = 6
                if (kept_0 := activation.request.url.path) == '/new':
                    return 6
            return 7
        except Exception as cause:
            raise failed(rule, cause) from cause

Nothing else is different from asking one rule after the other: what is not reached is not read,
and whatever fails ends it all, in the name of the rule that it stands in.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from policy.cel import emit
from policy.cel.merge import Merge
from policy.cel.program import ACTIVATION, Part, unexpected
from policy.cel.values import CelError

RULE: Final = "rule"
START: Final = "start"


class RuleError(Exception):
    """A condition that failed at run time; `position` is that of its rule."""

    def __init__(self, position: int, error: CelError) -> None:
        super().__init__(error.message)
        self.position = position
        self.error = error


@dataclass(frozen=True, slots=True)
class RuleParts:
    """The conditions of one rule. `is_entry` if the rules may also be asked from this one on."""

    conditions: Sequence[Part]
    is_entry: bool


def compile_first_match(rules: Sequence[RuleParts], position: int) -> Callable[[Any, int], int]:
    """Return the function that finds the first rule all of whose conditions hold.

    Positions of rules count from the given one. The function takes an activation and the
    position of an entry, and gives that of the first rule from there on that matches, or the one
    behind the last rule. It raises RuleError and nothing else.
    """
    merge = Merge()
    body: list[ast.stmt] = []
    block: list[ast.stmt] = []
    for at, rule in enumerate(rules, position):
        number = emit.constant(at)
        if rule.is_entry or not block:
            # What came before may have been passed over, and nothing of it kept.
            merge.forget()
            block = []
            body.append(emit.when(emit.compare(emit.name(START), "<=", number), block))
        block.append(emit.assignment(RULE, number))
        block.append(emit.when(merge.all_of(rule.conditions), [emit.returned(number)]))
    body.append(emit.returned(emit.constant(position + len(rules))))
    names = merge.names
    names["failed"] = failed
    handler = emit.converted("Exception", "failed", emit.name(RULE))
    module = emit.module("first_match", (ACTIVATION, START), body, [handler])
    exec(compile(module, "<conditions>", "exec"), names)  # noqa: S102 (our own tree)
    made: Callable[[Any, int], int] = names.pop("first_match")
    return made


def failed(position: int, cause: Exception) -> RuleError:
    """Return the error of a rule whose condition failed, whatever with: fail closed."""
    return RuleError(position, cause if isinstance(cause, CelError) else unexpected(cause))
