"""Time as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(moment_ns: int) -> str:
    """Write nanoseconds since the epoch in RFC 3339, UTC, to the second."""
    return (EPOCH + timedelta(seconds=moment_ns // 1_000_000_000)).strftime("%Y-%m-%dT%H:%M:%SZ")
