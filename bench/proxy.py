"""The data plane against its peers: CPU per request, latency and memory, all in one run.

The proxy has one core; the load and the upstream have another. CPU is the operating system's
accounting of the proxy's processes, which is steadier than requests per second. All proxies are
started, then take turns in short rounds; figures are medians.

    python bench/proxy.py [--full] [--workload NAME ...] [--contender TEXT ...]
                          [--rounds N] [--seconds S] [--json FILE]

Without options everyone serves 1 KiB over 32 connections, and the other workloads are for those
that targets compare. Exit status: 0 all targets are met, 1 one is missed, 2 misuse, 3 none is
missed but some could not be judged. docs/benchmarks.md tells more.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.data_plane.accounting import LOAD_CORE, PROXY_CORE
from bench.data_plane.contender import Contender
from bench.data_plane.contenders import CONTENDERS
from bench.data_plane.installation import MissingError
from bench.data_plane.measurement import Plan, run
from bench.data_plane.report import as_json, print_facts, print_missing, print_targets
from bench.data_plane.targets import exit_status, judge
from bench.data_plane.workloads import GET, WORKLOADS, Workload

# Who takes part in every workload; the others only in GET, unless --full is given.
COMPARED = ("penstock", "aiohttp", "envoy", "nginx")


def planned(options: argparse.Namespace) -> Plan:
    """Return what the options ask for."""
    names = options.workload or [each.name for each in WORKLOADS]
    contenders = [
        each
        for each in CONTENDERS
        if not options.contender or any(text in each.name for text in options.contender)
    ]
    chosen = [each for each in WORKLOADS if each.name in names]
    everyone = options.full or options.workload or options.contender
    return Plan(
        workloads={
            each: [who for who in contenders if everyone or takes_part(who, each)]
            for each in chosen
        },
        rounds=options.rounds,
        seconds=options.seconds,
    )


def takes_part(contender: Contender, workload: Workload) -> bool:
    return workload is GET or contender.proxy in COMPARED


def install(contenders: list[Contender]) -> None:
    """Install what is missing, before anything is measured or bound to a core."""
    for proxy, program in {each.proxy: each.program for each in contenders}.items():
        try:
            program()
        except MissingError as error:
            print(f"!! MISSING: {proxy}: {error}")


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="measure the proxy against its peers")
    parser.add_argument("--full", action="store_true", help="everyone in every workload")
    parser.add_argument(
        "--workload", action="append", choices=[each.name for each in WORKLOADS],
        help="only this one; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--contender", action="append", metavar="TEXT",
        help="only those with this in their name; may be repeated",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=5, help="how often everyone has its turn")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long a turn takes")
    parser.add_argument("--json", type=Path, help="write everything that was found to this file")
    options = parser.parse_args()
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("--rounds and --seconds take positive numbers")
    return options


def main() -> int:
    """Measure, print, and return the exit status."""
    options = read_options()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    if not {PROXY_CORE, LOAD_CORE} <= os.sched_getaffinity(0):
        print("two cores are needed: one for the proxy, one for the load")
        return 2
    plan = planned(options)
    install(plan.contenders)
    os.sched_setaffinity(0, {LOAD_CORE})
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # servers drop their privileges
        results = uvloop.run(run(plan, Path(folder)))
    judged = judge(results)
    print_facts(results)
    print_targets(judged)
    print_missing(results)
    if options.json:
        found = as_json(list(plan.workloads), results, judged)
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return exit_status(judged)


if __name__ == "__main__":
    sys.exit(main())
