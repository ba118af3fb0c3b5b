"""`&&`, `||` and the loops of macros where a part may fail: an error counts only if the other
parts leave the result open (CEL language definition, "Logical operators").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from policy.cel.compare import no_overload
from policy.cel.values import CelError

Thunk = Callable[[], Any]


def require_bool(value: Any) -> bool:
    """Return a value that must be a bool."""
    if value is True or value is False:
        return bool(value)
    raise no_overload("a condition")


def all_of(*operands: Thunk) -> bool:
    """`a && b && ...` where operands may fail."""
    return _decide(operands, decisive=False)


def any_of(*operands: Thunk) -> bool:
    """`a || b || ...` where operands may fail."""
    return _decide(operands, decisive=True)


def _decide(operands: Iterable[Thunk], *, decisive: bool) -> bool:
    failure: CelError | None = None
    for operand in operands:
        try:
            if require_bool(operand()) is decisive:
                return decisive
        except CelError as error:
            if error.code == "work-budget":
                raise
            failure = failure or error
    if failure is not None:
        raise failure
    return not decisive


def loop_all(items: Iterable[Any], test: Callable[[Any], Any]) -> bool:
    """`items.all(x, test)` where the test may fail."""
    return _decide_each(items, test, decisive=False)


def loop_exists(items: Iterable[Any], test: Callable[[Any], Any]) -> bool:
    """`items.exists(x, test)` where the test may fail."""
    return _decide_each(items, test, decisive=True)


def _decide_each(items: Iterable[Any], test: Callable[[Any], Any], *, decisive: bool) -> bool:
    failure: CelError | None = None
    for item in items:
        try:
            if require_bool(test(item)) is decisive:
                return decisive
        except CelError as error:
            if error.code == "work-budget":
                raise
            failure = failure or error
    if failure is not None:
        raise failure
    return not decisive


class Work:
    """What one evaluation may still do, in units of about 50 ns."""

    __slots__ = ("left",)

    def __init__(self, limit: int) -> None:
        self.left = limit

    def spend(self, units: int) -> None:
        """Charge work that is about to be done."""
        self.left -= units
        if self.left < 0:
            raise CelError("work-budget", "the expression does too much work")

    def loop(self, items: Any, units: int) -> Iterable[Any]:
        """Charge a loop over a list, or the keys of a map, and return what it goes over."""
        if not isinstance(items, list | tuple | Mapping):
            raise no_overload("a loop")
        self.spend(len(items) * units + 1)
        return items
