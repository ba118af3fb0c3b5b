"""What a running proxy tells its operator, and where its completion events go."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from penstock.output import visible
from proxy.failure import Failure

STANDARD_OUTPUT = "stdout"
STANDARD_ERROR = "stderr"
NOWHERE = "false"


def say(message: str) -> None:
    """Write a message to standard error: standard output carries the events.

    One that can't be written (a reader that is gone, a full disk) is lost; nothing else is.
    """
    with suppress(OSError):
        sys.stderr.write(visible(message) + "\n")
        sys.stderr.flush()


def open_events(destination: str) -> int | None:
    """Return the file descriptor for `stdout`, `stderr` or a path; None for `false`.

    Raises Failure for a file that can't be written.
    """
    if destination == NOWHERE:
        return None
    standard = {STANDARD_OUTPUT: 1, STANDARD_ERROR: 2}
    if destination in standard:
        return standard[destination]
    try:
        return os.open(destination, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Failure(
            f"can't write events to {destination!r}: {reason}",
            hint="name a file that can be written, or stdout, stderr or false",
        ) from None
