"""Runs calculations beside the loop: a password hash takes a tenth of a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from proxy.cores import usable_cores


class Calculator:
    """One thread for each core, started when there is something to calculate.

    What waits for a thread is one calculation at most for each request, and those are bounded;
    who goes away takes it along.
    """

    __slots__ = ("_threads",)

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None

    def run(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        """Return the future of what `work` returns or raises."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(usable_cores(), thread_name_prefix="calculator")
        return asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Begin no more calculations."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
