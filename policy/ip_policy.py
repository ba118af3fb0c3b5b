"""Named lists of networks that the operator keeps beside the policies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from policy.net import Network, NetworkSet

Rule: TypeAlias = tuple[Network, Literal["allow", "deny"]]


@dataclass(frozen=True, slots=True)
class IpPolicy:
    """What one named list lets through and what it refuses."""

    allow: NetworkSet
    deny: NetworkSet

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> IpPolicy:
        """Sort rules by what they say."""
        written = list(rules)
        return cls(
            allow=NetworkSet(network for network, action in written if action == "allow"),
            deny=NetworkSet(network for network, action in written if action == "deny"),
        )
