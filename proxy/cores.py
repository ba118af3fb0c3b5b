"""How many cores this process may use: not those of the machine, in a container."""

from __future__ import annotations

import os
from math import ceil
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cores(quota: Path = QUOTA) -> int:
    """Count the cores that the scheduler and the control group grant, at least one."""
    if hasattr(os, "sched_getaffinity"):
        granted = len(os.sched_getaffinity(0))
    else:
        granted = os.cpu_count() or 1
    return max(1, min(granted, _quota(quota) or granted))


def _quota(path: Path) -> int | None:
    """Read `MICROSECONDS PERIOD` or `max PERIOD`; None for no limit, and where there is no file."""
    try:
        share, period = path.read_text("ascii").split()
        return None if share == "max" else ceil(int(share) / int(period))
    except (OSError, ValueError):
        return None
