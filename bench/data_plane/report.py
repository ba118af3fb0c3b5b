"""What a run has found, as tables for people and as JSON."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.data_plane.results import Results
from bench.data_plane.rounds import Round, middle
from bench.data_plane.targets import OURS, Judged
from bench.data_plane.workloads import Workload

# With less of its core left than this, the load decides what latency is.
BUSY_LOAD = 0.9
VERSION = 1


def print_facts(results: Results) -> None:
    """Print what was seen of each proxy beside its rounds."""
    print(f"\n{'':28}{'version':>12}{'start s':>9}{'idle MB':>9}{'loaded MB':>11}")
    for name, facts in results.facts.items():
        print(
            f"  {name:26}{facts.version:>12}{facts.start_s:>9.2f}{facts.idle_mb:>9.1f}"
            f"{facts.loaded_mb:>11.1f}"
        )


def print_workload(workload: Workload, results: Results) -> None:
    """Print one workload's table; ratios are to Penstock without rules."""
    rows = {name: middle(found) for name, found in results.rounds.get(workload.name, {}).items()}
    cost = f"CPU µs/{workload.unit}"
    print(f"\n{workload.title}")
    print(f"{'':28}{cost:>15}{'ratio':>8}{'p50 ms':>9}{'p99 ms':>9}{'per s':>9}{'load':>7}")
    for name, row in rows.items():
        print(f"  {name:26}{figures(row, rows.get(OURS))}")
    for name, reason in results.failed.get(workload.name, {}).items():
        print(f"  {name:26}FAILED: {reason}")
    if any(row.load_core > BUSY_LOAD for row in rows.values()):
        print("  * the load's own core is full: CPU counts, latency and rate are the load's")


def figures(row: Round, ours: Round | None) -> str:
    ratio = f"{row.cpu_us / ours.cpu_us:.2f}" if ours else "-"
    mark = "*" if row.load_core > BUSY_LOAD else " "
    return (
        f"{row.cpu_us:>15.1f}{ratio:>8}{row.p50_ms:>9.2f}{row.p99_ms:>9.2f}{row.per_s:>9.0f}"
        f"{row.load_core:>6.0%}{mark}"
    )


def print_targets(judged: list[Judged]) -> None:
    """Print what was promised, what was found, and the verdict."""
    print(f"\n{'Targets':40}{'found':>8}{'at most':>9}")
    for each in judged:
        found = "-" if each.value is None else f"{each.value:.2f}"
        print(f"  {each.title:38}{found:>8}{each.limit:>9.2f}  {each.verdict.upper()}")


def print_missing(results: Results) -> None:
    """Print who could not take part, so that nobody takes the tables for complete."""
    for name, reason in results.missing.items():
        print(f"!! MISSING: {name}: {reason}")


def as_json(workloads: list[Workload], results: Results, judged: list[Judged]) -> dict[str, Any]:
    """Return everything, rounds included; docs/benchmarks.md describes the fields."""
    return {
        "version": VERSION,
        "machine": {"cpu": cpu_model(), "cores": os.cpu_count(), "system": platform.platform(),
                    "python": platform.python_version()},
        "missing": results.missing,
        "proxies": {name: asdict(facts) for name, facts in results.facts.items()},
        "workloads": {each.name: workload_as_json(each, results) for each in workloads},
        "targets": [{**asdict(each), "verdict": each.verdict} for each in judged],
    }  # fmt: skip


def workload_as_json(workload: Workload, results: Results) -> dict[str, Any]:
    return {
        "title": workload.title,
        "unit": workload.unit,
        "failed": results.failed.get(workload.name, {}),
        "results": {
            name: {**asdict(middle(found)), "rounds": [asdict(each) for each in found]}
            for name, found in results.rounds.get(workload.name, {}).items()
        },
    }


def cpu_model() -> str:
    """Return the processor's name as the kernel tells it."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "")
