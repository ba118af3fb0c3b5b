"""Writes event lines without ever holding up a request: a bounded buffer and one thread.

A log that can't keep up (a full disk, a slow pipe, a reader that is gone) costs lines, which are
counted and reported, never requests.
"""

from __future__ import annotations

import json
import threading

from proxy.completion import Completion
from proxy.completion_event import event_ids, render_event
from proxy.event_stream import EventStream
from proxy.rare_warning import RareWarning

MAX_BUFFERED_BYTES = 8 * 1024 * 1024
TOO_SLOW = "the reader is too slow"


class EventWriter:
    """Renders completions and hands them to a thread that writes them."""

    def __init__(
        self,
        stream: EventStream,
        *,
        process_id: str,
        lost: RareWarning,
        max_buffered_bytes: int = MAX_BUFFERED_BYTES,
    ) -> None:
        """Start writing. `process_id` keeps event ids apart between processes."""
        self._stream = stream
        self._lost = lost
        self._event_id = event_ids(process_id)
        self._max_buffered_bytes = max_buffered_bytes
        self._lines: list[bytes] = []
        self._buffered_bytes = 0
        self._unreported = 0
        self._closing = False
        self.written = 0
        self.dropped = 0
        self._work = threading.Condition()
        self._thread = threading.Thread(target=self._write_lines, name="events", daemon=True)
        self._thread.start()

    def __call__(self, completion: Completion, /) -> None:
        """Take one finished request. Never blocks on the descriptor."""
        line = render_event(completion, self._event_id())
        with self._work:
            if self._buffered_bytes + len(line) > self._max_buffered_bytes:
                self.dropped += 1
                self._unreported += 1
                self._lost.note(1, TOO_SLOW)
                return
            self._lines.append(line)
            self._buffered_bytes += len(line)
            self._work.notify()

    def close(self, timeout_s: float = 5.0) -> None:
        """Write what is buffered and end the thread; give up on a reader that doesn't read."""
        with self._work:
            self._closing = True
            self._work.notify()
        self._thread.join(timeout_s)

    def _write_lines(self) -> None:
        while True:
            with self._work:
                while not (self._lines or self._unreported or self._closing):
                    self._work.wait()
                lines, self._lines = self._lines, []
                lost, self._unreported = self._unreported, 0
                if not lines and not lost:
                    return
            if lost:
                lines.append(_lost_lines(lost))
            written, error = self._stream.write(b"".join(lines))
            missing = len(lines) - written
            with self._work:
                self._buffered_bytes = sum(map(len, self._lines))
                self.written += written
                self.dropped += missing
            if error is not None:
                self._lost.note(missing, (error.strerror or str(error)).lower())


def _lost_lines(count: int) -> bytes:
    return json.dumps({"event_type": "events_dropped", "count": count}).encode("ascii") + b"\n"
