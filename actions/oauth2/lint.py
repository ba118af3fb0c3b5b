"""Warnings on configurations that every login by OAuth 2.0 can have."""

from __future__ import annotations

from collections.abc import Iterator

from policy.action import Lint
from policy.config_types import Pending


def lint_client_secret(secret: str) -> Iterator[Lint]:
    """Warn of a secret that stands in the policy itself."""
    if not isinstance(secret, Pending):
        yield Lint(
            code="client-secret-in-clear-text",
            message="whoever can read this policy can act as this service",
            path=("client_secret",),
            hint="keep the secret in a vault: ${secrets.get('vault', 'name')}",
        )
