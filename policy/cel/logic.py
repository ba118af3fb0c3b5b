"""`&&`, `||` and loops over conditions that may fail.

An error counts only if the other parts leave the result open (CEL language definition, "Logical
operators").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from policy.cel.values import CelError, no_overload
from policy.cel.work import LIMIT_CODES

Thunk = Callable[[], Any]


def require_bool(value: Any) -> bool:
    """Return a value that must be a bool."""
    if value is True or value is False:
        return bool(value)
    raise no_overload("a condition")


def all_of(*operands: Thunk) -> bool:
    """Evaluate `a && b && ...` where operands may fail."""
    return _decide(operands, decisive=False)


def any_of(*operands: Thunk) -> bool:
    """Evaluate `a || b || ...` where operands may fail."""
    return _decide(operands, decisive=True)


def _decide(operands: Iterable[Thunk], *, decisive: bool) -> bool:
    failure: CelError | None = None
    for operand in operands:
        try:
            if require_bool(operand()) is decisive:
                return decisive
        except CelError as error:
            if error.code in LIMIT_CODES:
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
            if error.code in LIMIT_CODES:
                raise
            failure = failure or error
    if failure is not None:
        raise failure
    return not decisive
