"""The `penstock start` command."""

from __future__ import annotations

from proxy.failure import Failure


def start() -> None:
    """Run the proxy."""
    raise Failure("penstock start: not built yet")
