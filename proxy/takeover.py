"""What a supervisor leaves to the process that replaces it: listening sockets and workers.

The process stays the same one for whoever started it (same id), and runs the program anew, as it
is installed now. A trial first: a program or configuration that does not load replaces nothing.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from proxy.channel import metrics_from_json, metrics_to_json
from proxy.metrics import Metric
from proxy.settings_types import SocketAddress
from proxy.store.shared_memory import SharedMemory

INHERITED = "PENSTOCK_INHERITED"
TRIAL = "PENSTOCK_TRIAL"


@dataclass(slots=True)
class Inheritance:
    """Descriptors by address, and workers as process id and descriptor of their channel."""

    sockets: dict[str, list[int]] = field(default_factory=dict)
    workers: list[tuple[int, int]] = field(default_factory=list)
    counted: tuple[Metric, ...] = ()
    shared: SharedMemory | None = None

    def take(self, address: SocketAddress) -> list[socket.socket]:
        """Return the listening sockets of an address, none if there are none."""
        return [_owned(each) for each in self.sockets.pop(str(address), ())]

    def predecessors(self) -> list[tuple[int, socket.socket]]:
        """Return the workers that still serve."""
        return [(pid, _owned(descriptor)) for pid, descriptor in self.workers]

    def close_rest(self) -> None:
        """Close the sockets that nobody has taken: their addresses are not configured any more."""
        for descriptors in self.sockets.values():
            for each in descriptors:
                os.close(each)
        self.sockets.clear()


def _owned(descriptor: int) -> socket.socket:
    os.set_inheritable(descriptor, False)
    return socket.socket(fileno=descriptor)


def inheritance() -> Inheritance | None:
    """Return what the process before this one has left, once; None for a first start."""
    left = os.environ.pop(INHERITED, None)
    if left is None:
        return None
    read = json.loads(left)
    shared = read.get("shared")
    return Inheritance(
        sockets=read["sockets"],
        workers=[(pid, each) for pid, each in read["workers"]],
        counted=metrics_from_json(read["counted"]),
        shared=None if shared is None else _shared(*shared),
    )


def _shared(folder: str, lock: int, key: int) -> SharedMemory:
    for each in (lock, key):
        os.set_inheritable(each, False)
    return SharedMemory(Path(folder), lock, key)


def is_trial() -> bool:
    """Tell whether this process only has to find out that everything loads."""
    return TRIAL in os.environ


def start_trial() -> subprocess.Popen[bytes]:
    """Run this command line again, up to the point where it would begin to listen."""
    return subprocess.Popen(  # noqa: S603 - our own command line
        _command(),
        env={**os.environ, TRIAL: "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def replace_process(
    sockets: Mapping[SocketAddress, Iterable[socket.socket]],
    shared: SharedMemory | None,
    workers: Iterable[tuple[int, int]],
    counted: Iterable[Metric],
) -> None:
    """Become a new process of the same command line. Returns only by raising OSError."""
    listening = {str(name): [each.fileno() for each in found] for name, found in sockets.items()}
    kept = list(workers)
    memory = () if shared is None else shared.descriptors()
    channels = (each for _, each in kept)
    for descriptor in (*chain.from_iterable(listening.values()), *channels, *memory):
        os.set_inheritable(descriptor, True)
    left = {
        "sockets": listening,
        "workers": kept,
        "counted": metrics_to_json(counted),
        "shared": None if shared is None else (str(shared.folder), *memory),
    }
    command = _command()
    environment = {**os.environ, INHERITED: json.dumps(left)}
    os.execve(command[0], command, environment)  # noqa: S606 - our own command line


def _command() -> list[str]:
    return [sys.executable, *sys.orig_argv[1:]]
