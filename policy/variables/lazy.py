"""Variables that stand ready, and those that are computed when an expression first reads them."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeAlias

from policy.cel import Variable
from policy.cel.types import CelType
from policy.phase import ALL_PHASES, Phase


class variable:  # noqa: N801 - reads as the decorator it is, like `property`
    """Declares one variable of the language on the method that computes it.

    The first read stores the value in the instance, under the method's own name, so that later
    reads are plain attribute look-ups. With `fresh` nothing is stored: each read computes anew.
    `by_name` is as in `Variable`.
    """

    def __init__(
        self,
        name: str,
        type_: CelType,
        doc: str,
        *,
        phases: frozenset[Phase] = ALL_PHASES,
        fresh: bool = False,
        by_name: str | None = None,
    ) -> None:
        self.name = name
        self.type = type_
        self.doc = doc
        self.phases = phases
        self.fresh = fresh
        self.by_name = by_name
        self.attribute = ""
        self.compute: Callable[[Any], Any]

    def __call__(self, compute: Callable[[Any], Any]) -> variable:
        """Take the method that computes the value."""
        self.compute = compute
        return self

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        value = self.compute(instance)
        if not self.fresh:
            instance.__dict__[self.attribute] = value
        return value

    def declaration(self) -> Variable:
        """Return what the checker needs to know."""
        return Variable(
            name=self.name,
            type=self.type,
            doc=self.doc,
            phases=self.phases,
            attribute=self.attribute,
            fresh=self.fresh,
            by_name=self.by_name,
        )


class stored:  # noqa: N801 - stands beside `variable`
    """Declares one variable whose value stands ready, at a dotted path from the instance.

    Expressions follow the path themselves: most rules read little else, and a look-up that is
    kept in mind takes longer to make than these take to read.
    """

    def __init__(
        self,
        name: str,
        type_: CelType,
        doc: str,
        at: str,
        *,
        phases: frozenset[Phase] = ALL_PHASES,
    ) -> None:
        self.name = name
        self.type = type_
        self.doc = doc
        self.at = at
        self.phases = phases
        self._read = attrgetter(at)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else self._read(instance)

    def declaration(self) -> Variable:
        """Return what the checker needs to know."""
        return Variable(
            name=self.name, type=self.type, doc=self.doc, phases=self.phases, attribute=self.at
        )


Member: TypeAlias = variable | stored


def declared(owner: type) -> tuple[Member, ...]:
    """Return the variables of a class and its bases, in the order in which they are written."""
    return tuple(
        member
        for cls in reversed(owner.__mro__)
        for member in vars(cls).values()
        if isinstance(member, variable | stored)
    )
