"""`penstock start`: serve everything that a configuration file describes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.operator import STANDARD_OUTPUT, open_events, say
from proxy.assembly import Assembly, assemble
from proxy.config import read_config
from proxy.server import serve


def start(
    config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("penstock.yml"),
    log: Annotated[
        str, typer.Option(help="Where events go: stdout, stderr, false, or a file.")
    ] = STANDARD_OUTPUT,
) -> None:
    """Serve the endpoints of a configuration file."""

    def load() -> Assembly:
        return assemble(read_config(config))

    serve(load, events=open_events(log), say=say)
