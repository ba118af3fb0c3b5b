"""How long to wait before something that has failed is started again."""

from __future__ import annotations

from dataclasses import dataclass

# Who lived so long has earned an immediate restart.
LONG_LIFE_S = 60.0
FIRST_S = 0.5
LONGEST_S = 30.0


@dataclass(slots=True)
class Backoff:
    """At once after a long life; twice as long each time after a short one."""

    _next_s: float = FIRST_S

    def after(self, lived_s: float) -> float:
        """Return the seconds to wait after something has ended that lived so long."""
        if lived_s >= LONG_LIFE_S:
            self._next_s = FIRST_S
            return 0.0
        delay_s, self._next_s = self._next_s, min(2 * self._next_s, LONGEST_S)
        return delay_s
