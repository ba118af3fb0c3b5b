"""The work budget of one evaluation: what keeps an expression from holding up a worker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from policy.cel.limits import Limits
from policy.cel.values import CelError, no_overload

T = TypeVar("T", bound="Any")

BUDGET_CODE = "work-budget"
TOO_BIG_CODE = "value-too-big"
# No other part of an expression makes up for these: they end it at once.
LIMIT_CODES = frozenset({BUDGET_CODE, TOO_BIG_CODE})


class Work:
    """What one evaluation may still do, in units of about 50 ns, and how big values may grow.

    `limits` are those of the environment, for what only run time shows.
    """

    __slots__ = ("left", "limits")

    def __init__(self, limits: Limits) -> None:
        self.left = limits.work
        self.limits = limits

    def spend(self, units: int) -> None:
        """Charge work that is about to be done. Raises CelError when the budget is used up."""
        self.left -= units
        if self.left < 0:
            raise CelError(BUDGET_CODE, "the expression does too much work")

    def loop(self, items: Any, units: int) -> Iterable[Any]:
        """Charge a loop over a list, or the keys of a map, and return what it goes over."""
        if not isinstance(items, list | tuple | Mapping):
            raise no_overload("a loop")
        self.spend(len(items) * units + 1)
        return items

    def sized(self, value: T, units: int) -> T:
        """Charge work that grows with a value: so many units for each 1,024 elements of it."""
        if isinstance(value, str | bytes | list | tuple | Mapping):
            self.spend(1 + (len(value) * units >> 10))
        return value

    def grow(self, size: int) -> None:
        """Charge the building of a string or list of a size, and refuse one that is too big."""
        if size > self.limits.max_string:
            raise too_big()
        self.spend(1 + (size >> 6))


def weight_of(items: Any) -> int:
    """Return the work of looking at each item of a list once, long strings for their length."""
    return 1 + sum(2 + (len(item) >> 9) if isinstance(item, str | bytes) else 2 for item in items)


def too_big() -> CelError:
    """Return the error of a string or list that grows beyond the limit."""
    return CelError(TOO_BIG_CODE, "a string or list grew beyond the limit")
