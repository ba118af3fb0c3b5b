"""What the supervisor and its workers say to each other: lines of JSON over a pair of sockets.

    supervisor -> worker   prepare · commit · drop · report · status · stop · stop-now
    worker -> supervisor   ready · prepared · report · status

Either end learns of the other's death by the end of the stream.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from typing import Any, TypeAlias

from proxy.metrics import Metric
from proxy.status import Status

Message: TypeAlias = dict[str, Any]

READ_BYTES = 65536
# A worker whose buffer is full for this long does not listen any more.
SEND_TIMEOUT_S = 1.0


class Channel:
    """The supervisor's end. Blocks only where the other end does not read what it is told."""

    __slots__ = ("_rest", "socket")

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(SEND_TIMEOUT_S)
        self.socket = sock
        self._rest = b""

    def send(self, kind: str, **content: Any) -> bool:
        """Say something; False when nobody listens."""
        try:
            self.socket.sendall(encode(kind, **content))
        except OSError:
            return False
        return True

    def receive(self) -> list[Message] | None:
        """Return what has come, to be called when something has; None at the end."""
        try:
            data = self.socket.recv(READ_BYTES)
        except OSError:
            return None
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


def encode(kind: str, **content: Any) -> bytes:
    """Write one message."""
    return json.dumps({"kind": kind, **content}).encode("ascii") + b"\n"


def metrics_to_json(metrics: Iterable[Metric]) -> list[list[Any]]:
    """Write metrics into a message."""
    return [list(metric) for metric in metrics]


def metrics_from_json(rows: Iterable[Iterable[Any]]) -> tuple[Metric, ...]:
    """Read metrics out of a message."""
    return tuple(Metric(*row) for row in rows)


def status_to_json(status: Status) -> Message:
    """Write a status into a message."""
    return {
        "ready": status.ready,
        "last_reload": status.last_reload,
        "metrics": metrics_to_json(status.metrics),
    }


def status_from_json(message: Message) -> Status:
    """Read a status out of a message."""
    return Status(
        ready=message["ready"],
        last_reload=message["last_reload"],
        metrics=metrics_from_json(message["metrics"]),
    )
