"""`penstock start`: serve everything that a configuration file describes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from penstock.loading_bar import with_bar_at_first
from penstock.operator import STANDARD_OUTPUT, open_events, say
from policy.load import Progress
from proxy.assembly import Assembly, assemble
from proxy.config import read_config
from proxy.server import serve
from proxy.settings import MAX_WORKERS


def start(
    config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("penstock.yml"),
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MAX_WORKERS,
            help="Processes that serve; default: as configured, or one for each core.",
        ),
    ] = None,
    log: Annotated[
        str, typer.Option(help="Where events go: stdout, stderr, false, or a file.")
    ] = STANDARD_OUTPUT,
) -> None:
    """Serve the endpoints of a configuration file."""

    def load(progress: Progress | None) -> Assembly:
        plan = read_config(config)
        return assemble(plan if workers is None else replace(plan, workers=workers), progress)

    serve(with_bar_at_first(load), events=open_events(log), say=say)
