"""A running admin listener in a thread, and the command line that asks it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner, Result

from penstock.__main__ import build_app
from proxy.failure import Failure
from proxy.store.interface import Store
from tests.proxy.people import TOKEN, admin

PATIENCE_S = 10.0


@dataclass
class Terminal:
    """Whoever types commands, in a folder with a configuration file."""

    folder: Path
    port: int

    @property
    def config(self) -> Path:
        return self.folder / "penstock.yml"

    def run(self, *arguments: str, typed: str | None = None) -> Result:
        given = [*arguments]
        if "--admin" not in arguments and "--config" not in arguments:
            given += ["--config", str(self.config)]
        return CliRunner().invoke(build_app(), given, input=typed)

    def failure(self, *arguments: str) -> str:
        """Return what is said when a command can't do its work; the command ends with 1 then."""
        result = self.run(*arguments)
        assert isinstance(result.exception, Failure), result.output
        return str(result.exception)


@contextmanager
def terminal(folder: Path, store: Store, *, shows_people: bool = True) -> Iterator[Terminal]:
    """Run the listener until the block ends."""
    ready: Future[int] = Future()
    ended = threading.Event()

    async def serve() -> None:
        async with admin(store, TOKEN if shows_people else None) as asked:
            ready.set_result(asked.port)
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        port = ready.result(PATIENCE_S)
        token = folder / "admin.token"
        token.write_text(f"{TOKEN}\n")
        token.chmod(0o600)
        config = folder / "penstock.yml"
        config.write_text(
            "endpoints: [{upstream: {url: 8080}}]\n"
            f"admin: {{address: '127.0.0.1:{port}', token_file: admin.token}}\n"
        )
        yield Terminal(folder, port)
    finally:
        ended.set()
        thread.join(PATIENCE_S)
