"""Run-time values that Python has no type for.

int, float, str, bytes, bool and None stand for themselves; lists are lists or tuples, maps are
mappings. A `bool` key needs `CelMap`, because Python takes True and 1 for the same key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**63 - 1
UINT_MAX: Final = 2**64 - 1

NS_PER_SECOND: Final = 1_000_000_000
# 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z.
TIMESTAMP_MIN_NS: Final = -62_135_596_800 * NS_PER_SECOND
TIMESTAMP_MAX_NS: Final = 253_402_300_800 * NS_PER_SECOND - 1
# The language gives durations the range of a signed 64-bit count of nanoseconds.
DURATION_MIN_NS: Final = INT_MIN
DURATION_MAX_NS: Final = INT_MAX


class CelError(Exception):
    """An expression that failed at run time. `code` is stable kebab-case.

    The message may quote the policy, never the values of a request.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def no_overload(what: str) -> CelError:
    """Return the error of an operator or function that takes no such values."""
    return CelError("no-such-overload", f"{what} got values of types that it does not take")


class Uint(int):
    """An unsigned 64-bit integer. Equal to the int or double of the same value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{int(self)}u"


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A point in time: nanoseconds since 1970-01-01T00:00:00Z."""

    ns: int


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time in nanoseconds, possibly negative."""

    ns: int


@dataclass(frozen=True, slots=True)
class TypeValue:
    """A type as a value: what `type(x)` gives."""

    name: str


class FieldMap(Mapping[str, list[str]]):
    """Header fields as a map from lower-case names to values; look-ups ignore case.

    `by_name` is the map of `policy.fields.Fields`, shared and not copied.
    """

    __slots__ = ("by_name",)

    def __init__(self, by_name: Mapping[str, list[str]]) -> None:
        self.by_name = by_name

    def __getitem__(self, name: str) -> list[str]:
        return self.by_name[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self.by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)

    def __len__(self) -> int:
        return len(self.by_name)

    def __repr__(self) -> str:
        # Values may be credentials, and a representation ends up in logs.
        return f"FieldMap({list(self.by_name)})"


class CelMap(Mapping[Any, Any]):
    """A map that may have bool keys: `true` and `1` are different, `1`, `1u` and `1.0` are not."""

    __slots__ = ("_entries",)

    def __init__(self, pairs: Iterable[tuple[Any, Any]]) -> None:
        self._entries = {_identity(key): (key, value) for key, value in pairs}

    def __getitem__(self, key: Any) -> Any:
        return self._entries[_identity(key)][1]

    def __contains__(self, key: object) -> bool:
        return _identity(key) in self._entries

    def __iter__(self) -> Iterator[Any]:
        return (key for key, _ in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"CelMap({[key for key, _ in self._entries.values()]})"


def _identity(key: object) -> object:
    return (bool, key) if isinstance(key, bool) else key
