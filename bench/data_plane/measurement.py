"""A whole run: all proxies are started, and take turns under each workload."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bench.data_plane.accounting import memory_mb
from bench.data_plane.contender import Contender
from bench.data_plane.installation import MissingError
from bench.data_plane.origin import Origin
from bench.data_plane.report import print_workload
from bench.data_plane.results import Facts, Results
from bench.data_plane.rounds import RoundError, run_round
from bench.data_plane.running import NotServingError, Running, running
from bench.data_plane.site import LOOPBACK, Site, free_port, issue_certificate
from bench.data_plane.workloads import Workload

WARM_UP_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be measured: each workload with those who take part, in `rounds` of `seconds`."""

    workloads: dict[Workload, list[Contender]]
    rounds: int
    seconds: float

    @property
    def contenders(self) -> list[Contender]:
        """Everyone who takes part in anything."""
        return list(dict.fromkeys(each for part in self.workloads.values() for each in part))


async def run(plan: Plan, folder: Path) -> Results:
    """Start everyone, load everyone, and print each table when it is complete."""
    results = Results()
    numbers = count(1)
    origin = await asyncio.get_running_loop().create_server(
        lambda: Origin(numbers), LOOPBACK, 0, backlog=1024
    )
    async with AsyncExitStack() as stack:
        stack.callback(origin.close)
        everyone = await start_all(plan, folder, origin.sockets[0].getsockname()[1], stack, results)
        for workload, contenders in plan.workloads.items():
            taking_part = [each for each in everyone if each.contender in contenders]
            await take_turns(workload, taking_part, plan, results)
            print_workload(workload, results)
    return results


async def start_all(
    plan: Plan, folder: Path, upstream: int, stack: AsyncExitStack, results: Results
) -> list[Running]:
    """Start one after the other, so that none is slowed down by another's start."""
    certificate = issue_certificate(folder)
    everyone = []
    for number, contender in enumerate(plan.contenders):
        home = folder / str(number)
        home.mkdir(mode=0o755)
        site = Site(
            home=home, port=free_port(), tls_port=free_port(), upstream=upstream,
            certificate=certificate,
        )  # fmt: skip
        try:
            each = await stack.enter_async_context(running(contender, site))
        except (MissingError, NotServingError) as error:
            results.missing[contender.name] = str(error)
            continue
        results.facts[contender.name] = Facts(
            version=each.version, start_s=each.start_s, idle_mb=each.idle_mb
        )
        everyone.append(each)
    return everyone


async def take_turns(
    workload: Workload, everyone: list[Running], plan: Plan, results: Results
) -> None:
    """Measure in rounds, everyone once in each: a noisy moment hits neighbours alike."""
    playing = list(everyone)
    for number in range(-1, plan.rounds):
        for each in tuple(playing):
            name = each.contender.name
            port = each.site.tls_port if workload.tls else each.site.port
            seconds = WARM_UP_S if number < 0 else plan.seconds
            try:
                found = await run_round(workload, port, each.pid, seconds)
            except (RoundError, OSError) as error:
                results.fail(workload.name, name, str(error))
                playing.remove(each)
                continue
            if number >= 0:
                results.add(workload.name, name, found)
                facts = results.facts[name]
                facts.loaded_mb = max(facts.loaded_mb, memory_mb(each.pid))
