"""The `penstock demo` command."""

from __future__ import annotations

from proxy.failure import Failure


def demo() -> None:
    """Run the proxy."""
    raise Failure("penstock demo: not built yet")
