"""A bar on a terminal while a long policy loads; nothing when it loads quickly."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TextIO, TypeVar

from policy.load import Progress

T = TypeVar("T")

PATIENCE_S = 1.0
REFRESH_S = 0.1


@contextmanager
def loading_bar(
    stream: TextIO | None = None, *, clock: Callable[[], float] = time.monotonic
) -> Iterator[Progress | None]:
    """Give what loading reports its progress to: a bar on standard error, if that is a terminal.

    The bar appears after a second and is gone in the end, also when loading fails. None where
    nobody would see it.
    """
    to = sys.stderr if stream is None else stream
    if not to.isatty():
        yield None
        return
    bar = _LoadingBar(to, clock)
    try:
        yield bar.advance
    finally:
        bar.close()


def with_bar_at_first(load: Callable[[Progress | None], T]) -> Callable[[], T]:
    """Show the bar for the first load only: nobody waits for the later ones."""
    first = iter((True,))

    def run() -> T:
        if not next(first, False):
            return load(None)
        with loading_bar() as progress:
            return load(progress)

    return run


class _LoadingBar:
    """Draws from the loading thread itself: a second thread would slow it, and outlive a fork."""

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._clock = clock
        self._draw_at = clock() + PATIENCE_S
        self._drawn = ExitStack()
        self._draw: Progress | None = None

    def advance(self, done: int, total: int) -> None:
        now = self._clock()
        if now < self._draw_at:
            return
        self._draw_at = now + REFRESH_S
        if self._draw is None:
            self._draw = _draw_bar(self._stream, self._drawn)
        self._draw(done, total)

    def close(self) -> None:
        self._drawn.close()


def _draw_bar(stream: TextIO, drawn: ExitStack) -> Progress:
    # Imported here because most policies load before there is anything to show.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    bar = drawn.enter_context(
        Bar(
            TextColumn("Loading rules"),
            BarColumn(),
            MofNCompleteColumn(),
            console=Console(file=stream),
            auto_refresh=False,
            transient=True,
        )
    )
    task = bar.add_task("", total=None)
    return lambda done, total: bar.update(task, completed=done, total=total, refresh=True)
