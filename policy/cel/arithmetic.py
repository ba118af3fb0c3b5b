"""Arithmetic: 64-bit integers that refuse to overflow, times within their range."""

from __future__ import annotations

from typing import Any

from policy.cel.values import (
    DURATION_MAX_NS,
    DURATION_MIN_NS,
    INT_MAX,
    INT_MIN,
    TIMESTAMP_MAX_NS,
    TIMESTAMP_MIN_NS,
    UINT_MAX,
    CelError,
    Duration,
    Timestamp,
    Uint,
    no_overload,
)
from policy.cel.work import too_big


def overflow() -> CelError:
    """Return the error of a number that does not fit its type."""
    return CelError("overflow", "a number does not fit into 64 bits")


def out_of_range() -> CelError:
    """Return the error of a time that is out of range."""
    return CelError("out-of-range", "a timestamp or duration is out of range")


def as_int(value: int) -> int:
    """Return a result that fits into a signed integer."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise overflow()


def as_uint(value: int) -> Uint:
    """Return a result that fits into an unsigned integer."""
    if 0 <= value <= UINT_MAX:
        return Uint(value)
    raise overflow()


def as_timestamp(ns: int) -> Timestamp:
    """Return a timestamp within its range."""
    if TIMESTAMP_MIN_NS <= ns <= TIMESTAMP_MAX_NS:
        return Timestamp(ns)
    raise out_of_range()


def as_duration(ns: int) -> Duration:
    """Return a duration within its range."""
    if DURATION_MIN_NS <= ns <= DURATION_MAX_NS:
        return Duration(ns)
    raise out_of_range()


def add_ints(left: int, right: int) -> int:
    """`left + right` of two ints."""
    total = left + right
    if INT_MIN <= total <= INT_MAX:
        return total
    raise overflow()


def subtract_ints(left: int, right: int) -> int:
    """`left - right` of two ints."""
    difference = left - right
    if INT_MIN <= difference <= INT_MAX:
        return difference
    raise overflow()


def multiply_ints(left: int, right: int) -> int:
    """`left * right` of two ints."""
    return as_int(left * right)


def divide_ints(left: int, right: int) -> int:
    """`left / right` of two ints, truncated toward zero."""
    return as_int(_quotient(left, right))


def modulo_ints(left: int, right: int) -> int:
    """`left % right` of two ints, with the sign of `left`."""
    if left == INT_MIN and right == -1:
        raise overflow()
    return left - right * _quotient(left, right)


def _quotient(left: int, right: int) -> int:
    if right == 0:
        raise CelError("division-by-zero", "division by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def divide_doubles(left: float, right: float) -> float:
    """`left / right` of two doubles, which knows infinity (IEEE 754)."""
    if right != 0.0:
        return left / right
    if left == 0.0 or left != left:  # noqa: PLR0124 (NaN is unequal to itself)
        return float("nan")
    negative = (left < 0.0) != (str(right)[0] == "-")
    return float("-inf") if negative else float("inf")


def add(left: Any, right: Any, max_size: int) -> Any:
    """`left + right` for values whose types are known at run time only."""
    kind, other = type(left), type(right)
    if kind is not other and not (isinstance(left, list | tuple)):
        if {kind, other} == {Timestamp, Duration}:
            return as_timestamp(left.ns + right.ns)
        raise no_overload("'+'")
    if kind is int:
        return as_int(left + right)
    if kind is float:
        return left + right
    if kind is str or kind is bytes:
        return concatenate(left, right, max_size)
    if kind is Uint:
        return as_uint(int(left) + int(right))
    if kind is Duration:
        return as_duration(left.ns + right.ns)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return join_lists(left, right, max_size)
    raise no_overload("'+'")


def concatenate(left: Any, right: Any, max_size: int) -> Any:
    """Join two strings or two bytes values."""
    if len(left) + len(right) > max_size:
        raise too_big()
    return left + right


def join_lists(left: Any, right: Any, max_size: int) -> list[Any]:
    """Join two lists."""
    if len(left) + len(right) > max_size:
        raise too_big()
    return [*left, *right]


def subtract(left: Any, right: Any) -> Any:
    """`left - right` for values whose types are known at run time only."""
    match left, right:
        case (Timestamp(), Timestamp()) | (Duration(), Duration()):
            return as_duration(left.ns - right.ns)
        case Timestamp(), Duration():
            return as_timestamp(left.ns - right.ns)
        case _:
            return _numbers("-", left, right)


def multiply(left: Any, right: Any) -> Any:
    """`left * right` for values whose types are known at run time only."""
    return _numbers("*", left, right)


def divide(left: Any, right: Any) -> Any:
    """`left / right` for values whose types are known at run time only."""
    return _numbers("/", left, right)


def modulo(left: Any, right: Any) -> Any:
    """`left % right` for values whose types are known at run time only."""
    return _numbers("%", left, right)


def _numbers(operator: str, left: Any, right: Any) -> Any:
    kind = type(left)
    if kind is not type(right) or kind not in (int, Uint, float):
        raise no_overload(f"{operator!r}")
    if kind is float:
        if operator == "%":
            raise no_overload("'%'")
        if operator == "/":
            return divide_doubles(left, right)
        return left - right if operator == "-" else left * right
    one, other = int(left), int(right)
    if operator == "-":
        result = one - other
    elif operator == "*":
        result = one * other
    elif operator == "/":
        result = _quotient(one, other)
    else:
        result = modulo_ints(one, other) if kind is int else one - other * _quotient(one, other)
    return as_int(result) if kind is int else as_uint(result)


def negate(value: Any) -> Any:
    """`-value` for a value whose type is known at run time only."""
    if type(value) is int:
        return as_int(-value)
    if type(value) is float:
        return -value
    raise no_overload("'-'")


def negate_int(value: int) -> int:
    """`-value` of an int."""
    return as_int(-value)
