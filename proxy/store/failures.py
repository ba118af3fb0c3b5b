"""Says that the store can't be asked, why, what to do about it, and that it can be asked again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from policy.store import StoreUnavailable
from proxy.rare_warning import RareWarning

LOCKED: Final = "store-locked"
FULL: Final = "store-full"
CORRUPTED: Final = "store-corrupted"
NEWER: Final = "store-of-newer-version"
UNREADABLE: Final = "store-unreadable"
UNREACHABLE: Final = "store-unreachable"
TOO_SLOW: Final = "store-too-slow"
REFUSED: Final = "store-refused"
NOT_OPEN: Final = "store-not-open"
STOPPED: Final = "store-stopped"

REMEDIES: Final = {
    LOCKED: "another program keeps the file locked",
    FULL: "nothing more can be written: make room on the disk or in the server's memory",
    CORRUPTED: "the file is damaged: move it away, a new one is made at once; sessions start anew",
    NEWER: "a newer Penstock has written it: use that one, or another file",
    UNREADABLE: "check the file, its folder and their permissions",
    UNREACHABLE: "it is tried again all the time; check that the server runs, and its address",
    TOO_SLOW: "the server did not answer in time",
    REFUSED: "the server refuses what is asked; check its user, password and configuration",
}


class Failures:
    """How often a store could not be asked. Any thread may note it."""

    __slots__ = ("_detail", "_is_said", "_lock", "_said", "_say", "_warning", "count", "reason")

    def __init__(self, say: Callable[[str], None]) -> None:
        """Prepare; `say` takes messages for the operator."""
        self._say = say
        self._warning = self._new_warning()
        self._lock = threading.Lock()
        self._said = ""
        self._is_said = False
        self._detail = ""
        self.count = 0
        self.reason: str | None = None

    def failed(self, reason: str, detail: str, count: int = 1) -> StoreUnavailable:
        """Count failures, and say so unless that was just said."""
        with self._lock:
            if reason != self._said:
                # Another trouble is news, however soon it comes after the last.
                self._warning = self._new_warning()
            self.count += count
            self.reason, self._said, self._detail = reason, reason, detail
            remedy = REMEDIES.get(reason)
            why = f"{reason}: {detail}" + (f"; {remedy}" if remedy else "")
            self._is_said |= self._warning.note(count, why)
        return StoreUnavailable(reason=reason)

    def again(self, count: int) -> None:
        """Count more failures for the last reason, unless all is well."""
        if self.reason is not None:
            self.failed(self.reason, self._detail, count)

    def succeeded(self) -> None:
        """Take note that it works, and say so where it was said that it did not."""
        if self.reason is None:
            return
        with self._lock:
            self.reason = None
            if self._is_said:
                self._is_said = False
                self._say("penstock: the store works again")

    def _new_warning(self) -> RareWarning:
        return RareWarning(self._say, "the store does not work, requests that needed it")
