"""The `penstock http` command."""

from __future__ import annotations

from proxy.failure import Failure


def http() -> None:
    """Run the proxy."""
    raise Failure("penstock http: not built yet")
