"""What a proxy costs, by the operating system's accounting of its processes (Linux)."""

from __future__ import annotations

import os
import time
from pathlib import Path

PROXY_CORE, LOAD_CORE = 0, 1
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def family(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(each for child in children for each in family(int(child)))]


def cpu_s(pid: int) -> float:
    """Return the user and system time of a process and its descendants, all threads of them."""
    return sum(time.clock_gettime(cpu_clock(each)) for each in family(pid))


def cpu_clock(pid: int) -> int:
    # The clock that clock_getcpuclockid(3) names, which Python does not offer. It counts in
    # nanoseconds, where /proc counts in hundredths of a second.
    return (~pid << 3) | 2


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process and its descendants, in 10**6 bytes."""
    pages = sum(int(Path(f"/proc/{p}/statm").read_text("ascii").split()[1]) for p in family(pid))
    return pages * PAGE_BYTES / 1e6
