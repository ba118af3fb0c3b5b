"""What a whole run has found."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.data_plane.rounds import Round


@dataclass(kw_only=True)
class Facts:
    """What was seen of one proxy beside its rounds. Memory in 10**6 bytes, of all its processes."""

    version: str
    start_s: float
    idle_mb: float
    loaded_mb: float = 0.0


@dataclass(kw_only=True)
class Results:
    """All rounds, by workload and contender, and what is missing from them."""

    facts: dict[str, Facts] = field(default_factory=dict)
    rounds: dict[str, dict[str, list[Round]]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    failed: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, workload: str, contender: str, found: Round) -> None:
        """Keep one more round."""
        self.rounds.setdefault(workload, {}).setdefault(contender, []).append(found)

    def fail(self, workload: str, contender: str, reason: str) -> None:
        """Keep why a contender does not take part in a workload; its rounds count no more."""
        self.failed.setdefault(workload, {})[contender] = reason
        self.rounds.get(workload, {}).pop(contender, None)
