"""Numbers that actions keep for the operator: how many of what have ended how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from proxy.metrics import COUNTER, Metric


class Counted(NamedTuple):
    """A metric that actions count; `usual` outcomes are shown from the start."""

    name: str
    meaning: str
    label: str
    usual: tuple[str, ...]


COUNTED: Final = {
    "logins": Counted(
        "penstock_logins_total", "Logins that came back from a provider.", "reason", ("logged-in",)
    ),
    "renewals": Counted(
        "penstock_session_renewals_total",
        "Times that a provider was asked about a user again.",
        "outcome",
        ("renewed", "kept", "ended"),
    ),
}


class ActionCounts:
    """The numbers of one process."""

    __slots__ = ("_numbers",)

    def __init__(self) -> None:
        """Start at zero."""
        self._numbers = {(what, usual): 0 for what in COUNTED for usual in COUNTED[what].usual}

    def add(self, what: str, outcome: str, /) -> None:
        """Add one; `what` is a key of COUNTED."""
        key = what, outcome
        self._numbers[key] = self._numbers.get(key, 0) + 1

    def metrics(self) -> Iterator[Metric]:
        """Return what was counted so far."""
        for (what, outcome), number in self._numbers.items():
            counted = COUNTED[what]
            labels = f'{counted.label}="{outcome}"'
            yield Metric(counted.name, COUNTER, counted.meaning, number, labels)
