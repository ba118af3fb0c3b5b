"""What the clients of a soak share: what they saw, and what the upstream's outages excuse."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

# What a request may be answered with while the upstream is dead.
OUTAGE_STATUSES = {502, 504}
# The upstream is back before all that it has spoilt has reached a client.
GRACE_S = 0.5
# A client that reads slowly meets the end of what was cut so much later.
NOTICE_S = 5.0


class UnexpectedStatusError(Exception):
    """A status that the request should not get. `status` is the number."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class CutAnswerError(Exception):
    """An answer that ends early."""


class WrongAnswerError(Exception):
    """An answer that is complete, and not what was asked for. Nothing excuses it."""


@dataclass
class Outage:
    """When the upstream was dead, by the monotonic clock."""

    start: float
    end: float = float("inf")


@dataclass
class Record:
    """What has happened so far. `done` tells the clients to stop."""

    port: int
    done: bool = False
    outages: list[Outage] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    completed: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)

    def fault(self, kind: str, error: Exception, began: float) -> None:
        """Keep what a client met that began at that time, excused or not."""
        now = time.monotonic()
        if self._is_excused(error, max(began, now - NOTICE_S), now):
            self.excused[f"{kind}: {type(error).__name__}"] += 1
        else:
            text = f"{kind}: {type(error).__name__}: {error}"
            self.unexpected.append(f"{text} after {now - began:.2f} s")

    def _is_excused(self, error: Exception, since: float, until: float) -> bool:
        if isinstance(error, WrongAnswerError):
            return False
        if isinstance(error, UnexpectedStatusError) and error.status not in OUTAGE_STATUSES:
            return False
        return any(each.start <= until and since <= each.end + GRACE_S for each in self.outages)
